"""The connector: registers the articles that one's own sites list, and follows those that have moved.

What is registered is read anew for each poll, so a poll that is repeated sends what is not in Kafka yet.
"""

import asyncio
import dataclasses
import logging
from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
import xxhash
from msgspec import Meta
from msgspec.structs import replace

from flatline.domain.urls.canonical import canonicalize
from flatline.schema.limits import Url
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.fetching.outcomes import Failed, Fetched, Outcome
from flatline_connectors.own_site.listing import ListedArticle, Listing, NoListing
from flatline_connectors.own_site.missing import look_of, moves_among
from flatline_connectors.own_site.parsing import BYTES_MAX, parse
from flatline_connectors.own_site.reading import ACCEPTED, LISTINGS_MAX, articles_of, named_listings, sitemaps_at
from flatline_connectors.own_site.registering import NoMove, Registry, record_of_move, registrations
from flatline_connectors.runtime.config import ConnectorOptions, Duration
from flatline_connectors.runtime.connector import (
    LETTER_BYTES,
    ConnectorKind,
    FoundRecord,
    PollResult,
    Resources,
    UnreadableRecord,
    found_article,
    usable,
)
from flatline_connectors.runtime.own_sites import known_sites
from flatline_connectors.runtime.second_chances import SecondChances

UNLISTED_MAX: Final = 10_000
"""Registered articles that are looked for in the listings of one run; the next run goes on with those after them."""
_URL_CHARACTERS_MAX: Final = 1_000  # so that the position fits into a record

Record = FoundRecord | UnreadableRecord

_log = logging.getLogger(__name__)


class OwnSiteOptions(ConnectorOptions, frozen=True, kw_only=True, tag="own-site"):
    """What is read, and how many of the articles that are not listed are looked at."""

    every: Annotated[Duration, Meta(description="How often it runs, give or take a tenth")] = "1d"
    listings: Annotated[tuple[Url, ...], Meta(description="Sitemaps and feeds; else those of the sites")] = ()
    missing_max: Annotated[
        int, Meta(ge=0, le=200, description="Registered articles to look at in a run that are not listed")
    ] = 50


class OwnSiteState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a run is: listings are read one after the other, then articles that are in none of them are looked at.

    ``listings``       to be read, and ``read``: that were read
    ``is_whole``       whether all sitemaps could be read to their ends
    ``unlisted``       fingerprints of the registered articles that were in no listing so far
    ``unlisted_until`` the last of the articles that are looked for in this run; empty: all are
    ``pages``          addresses of unlisted articles that are to be looked at
    ``redirects``      where those that were looked at redirect to for good
    ``gone``           those that the last look did not find
    ``looked_until``   the article after which the next run begins to look
    """

    version: Literal[1] = 1
    listings: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    is_whole: bool = True
    unlisted: frozenset[str] = frozenset()
    unlisted_until: str = ""
    pages: tuple[str, ...] = ()
    redirects: dict[str, str] = {}
    gone: tuple[str, ...] = ()
    looked_until: str = ""


class OwnSite:
    """One poll reads one listing, or looks at one article."""

    def __init__(self, options: OwnSiteOptions, resources: Resources) -> None:
        self._options = options
        self._resources = resources
        self._second_chances = SecondChances()

    async def poll(self, state: OwnSiteState, now: datetime) -> PollResult[OwnSiteState]:  # noqa: ARG002
        """Read what is next. Raise `PollFailed`, and a `ConnectorError` where somebody has to say something."""
        if state.pages:
            return await self._look_at_first(state)
        known_sites(self._resources)
        registry = await self._resources.registry()
        return await self._read_first(state if state.listings else await self._begun(state, registry), registry)

    async def _begun(self, state: OwnSiteState, registry: Registry) -> OwnSiteState:
        """Return the position at the beginning of a run."""
        is_ours, sites = known_sites(self._resources), self._resources.sites
        named = self._options.sites or [record.domain for record in sites if record.role == "own"]
        fronts = [site if "://" in site else f"https://{site}/" for site in named]
        listings: dict[str, None] = {}
        for url in self._options.listings or named_listings(fronts, sites):
            listings |= dict.fromkeys(await sitemaps_at(self._resources.fetcher, url))
        wanted = [url for url in listings if _is_short(url) and is_ours(url)]
        own = await asyncio.to_thread(lambda: sorted(key for key in registry.records if is_ours(key.decode())))
        first = bisect_right(own, state.looked_until.encode())
        looked_for = [*own[first:], *own[:first]][:UNLISTED_MAX]
        return OwnSiteState(
            listings=tuple(wanted[:LISTINGS_MAX]),
            is_whole=len(wanted) == len(listings) <= LISTINGS_MAX,
            unlisted=frozenset(map(_fingerprint, looked_for)) if self._options.missing_max else frozenset(),
            unlisted_until=looked_for[-1].decode() if len(looked_for) < len(own) else "",
            looked_until=state.looked_until,
        )

    async def _read_first(self, state: OwnSiteState, registry: Registry) -> PollResult[OwnSiteState]:
        if not state.listings:  # all are on other sites
            return self._all_read(replace(state, is_whole=False), registry, [])
        url, *rest = state.listings
        page = await self._resources.fetcher.fetch(url, accepted=ACCEPTED, bytes_max=BYTES_MAX)
        if rest or state.read:
            self._second_chances.check(url, page)
        else:  # nothing else was, or will be, read
            usable(page)
        state = replace(state, listings=tuple(rest), read=(*state.read, url))
        records, listing = await self._listing(url, page)
        state = self._with_sitemaps(state, listing)
        articles, foreign = await asyncio.to_thread(articles_of, listing, known_sites(self._resources))
        if foreign:
            _log.info("%s: %d entries are on other sites, and are left out", _shown(url), foreign)
        listed = {_fingerprint(registry.current(key.encode())) for key in articles}
        state = replace(state, unlisted=state.unlisted - listed)
        records += await asyncio.to_thread(self._registrations, articles, registry, url)
        return self._all_read(state, registry, records)

    async def _listing(self, url: str, page: Fetched) -> tuple[list[Record], Listing]:
        """Return a listing, and what of it can't be read."""
        nothing = Listing(has_all=False)
        if page.outcome is not Outcome.FETCHED:
            _log.warning("%s can't be read: %s: %s", _shown(url), page.outcome, page.detail)
            return [], nothing
        if not known_sites(self._resources)(page.url):
            _log.warning("%s redirects to another site", _shown(url))
            return [], nothing
        try:
            listing = await asyncio.to_thread(parse, page.body, page.url)
        except (NoListing, Failed) as error:
            return [_letter(url, page, str(error))], nothing
        if listing.problem:
            return [_letter(url, page, listing.problem)], dataclasses.replace(listing, has_all=False)
        return [], listing

    def _with_sitemaps(self, state: OwnSiteState, listing: Listing) -> OwnSiteState:
        """Return the position with the sitemaps that an index names."""
        is_ours, known = known_sites(self._resources), {*state.read, *state.listings}
        named = [url for url in dict.fromkeys(listing.sitemaps) if url not in known]
        wanted = [url for url in named if _is_short(url) and is_ours(url)]
        room = LISTINGS_MAX - len(known)
        is_whole = state.is_whole and listing.has_all and len(named) == len(wanted) <= room
        return replace(state, listings=(*state.listings, *wanted[:room]), is_whole=is_whole)

    def _registrations(self, articles: dict[str, ListedArticle], registry: Registry, url: str) -> list[Record]:
        found = registrations(articles, registry, self._resources.sites.series_of)
        return [found_article(record, url=url) for record in (*found.new.values(), *found.completed.values())]

    def _all_read(self, state: OwnSiteState, registry: Registry, records: list[Record]) -> PollResult[OwnSiteState]:
        """Return the result of a poll after which, if all listings were read, articles are looked at."""
        if state.listings:
            return PollResult(records, state, is_complete=False)
        if not state.is_whole:
            return _ended(state, records)
        unlisted = [
            key
            for key, record in registry.records.items()
            if _fingerprint(key) in state.unlisted and _is_short(record.url)
        ]
        unlisted.sort(key=lambda key: (key <= state.looked_until.encode(), key))
        looked_at = unlisted[: self._options.missing_max]
        has_more = len(looked_at) < len(unlisted)
        state = replace(state, looked_until=looked_at[-1].decode() if has_more else state.unlisted_until)
        state = replace(state, read=(), pages=tuple(registry.records[key].url for key in looked_at))
        return PollResult(records, state, is_complete=False) if state.pages else _ended(state, records)

    async def _look_at_first(self, state: OwnSiteState) -> PollResult[OwnSiteState]:
        url, *rest = state.pages
        page = await self._resources.fetcher.fetch(url)
        self._second_chances.check(url, page)
        look = look_of(page, canonicalize(url))
        state = replace(state, pages=tuple(rest))
        if look.fate == "moved" and _is_short(look.detail):
            state = replace(state, redirects={**state.redirects, url: look.detail})
        elif look.fate == "gone":
            _log.warning("%s is listed no longer, and is gone; `flatline articles remove` forgets it", _shown(url))
            state = replace(state, gone=(*state.gone, url))
        elif look.fate != "there":
            _log.info("%s is listed no longer: %s", _shown(url), look.detail)
        if rest:
            return PollResult([], state, is_complete=False)
        registry = await self._resources.registry()
        return _ended(state, [*_moves(state, registry)])


def _moves(state: OwnSiteState, registry: Registry) -> Iterable[FoundRecord]:
    """Yield the records of articles whose old addresses redirect to listed ones: what is listed is registered."""
    for old, new in moves_among(state.redirects).items():
        key, target = registry.current(canonicalize(old).encode()), registry.current(new.encode())
        is_listed = target in registry.records and _fingerprint(target) not in state.unlisted
        if key not in registry.records or key == target or not is_listed:
            _log.info("%s is listed no longer, and redirects to %s", _shown(old), _shown(new))
            continue
        try:
            record = record_of_move(key, new, ListedArticle(new), registry)
        except NoMove as no_move:
            _log.warning("%s: %s", _shown(old), no_move)
        else:
            yield found_article(record, url=old)


def _ended(state: OwnSiteState, records: list[Record]) -> PollResult[OwnSiteState]:
    """Return the result at the end of a run. It claims nothing: articles are no links."""
    return PollResult(records, OwnSiteState(gone=state.gone, looked_until=state.looked_until), is_complete=True)


def _letter(url: str, page: Fetched, why: str) -> UnreadableRecord:
    return UnreadableRecord(page.body[:LETTER_BYTES], Rejected(Reason.INVALID_VALUE, why), {"url": url})


def _is_short(url: str) -> bool:
    return len(url) <= _URL_CHARACTERS_MAX


def _fingerprint(key: bytes) -> str:
    return xxhash.xxh3_64_hexdigest(key)


def _shown(url: str) -> str:
    """Return an address for the log: its query may hold a secret."""
    return url.partition("?")[0]


KIND: Final = ConnectorKind(
    options=OwnSiteOptions, state=OwnSiteState, open=OwnSite, about="Registers the articles that your own sites list."
)
