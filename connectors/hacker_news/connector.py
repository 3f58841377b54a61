"""The connector: asks the search for each of our sites, from the newest item back to those that are known."""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from flatline.domain.time import to_datetime
from flatline.schema.limits import Url
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.fetching.outcomes import Fetched
from flatline_connectors.hacker_news.items import Hit, Item, events_of, hits_of
from flatline_connectors.runtime.config import ConnectorOptions
from flatline_connectors.runtime.connector import (
    LETTER_BYTES,
    ConnectorKind,
    FoundRecord,
    MalformedPage,
    PollResult,
    Resources,
    UnreadableRecord,
    found_link,
    usable,
)
from flatline_connectors.runtime.own_sites import known_sites, own_hosts

PAGE_HITS: Final = 100
OVERLAP: Final = timedelta(days=1)
"""How long an item may take to reach the search, or to be edited: each run asks again for those of the last day."""
_JSON: Final = frozenset({"application/json"})
_PAGE_BYTES_MAX: Final = 8 << 20


class HackerNewsOptions(ConnectorOptions, frozen=True, kw_only=True, tag="hacker-news"):
    """Where the search is."""

    server: Annotated[Url, Meta(description="Where the search is")] = "https://hn.algolia.com"


class Searched(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far one site was searched for. Unix times, in seconds.

    ``until_s``          all items up to then are known; None: it was never searched for to the end
    ``history_until_s``  what is not newer is history: it was there when the first search began
    """

    until_s: int | None = None
    history_until_s: int | None = None


class HackerNewsState(msgspec.Struct, frozen=True, kw_only=True):
    """How far the sites were searched for. ``newest_s``, ``turn`` and ``before_s`` are set in the middle of a run.

    ``newest_s``  when the newest item of all came that the search had as the run began (Unix time, seconds)
    ``turn``      the site that is searched for; ``before_s``: its items from then back are next (Unix time, seconds)
    """

    version: Literal[1] = 1
    sites: dict[str, Searched] = {}
    newest_s: int | None = None
    turn: str | None = None
    before_s: int | None = None


class HackerNews:
    """One poll asks for one page. A run begins by asking how far the search is: what it claims to have seen is that."""

    def __init__(self, options: HackerNewsOptions, resources: Resources) -> None:
        self._address = f"{options.server.rstrip('/')}/api/v1/search_by_date"
        self._options = options
        self._resources = resources

    async def poll(self, state: HackerNewsState, now: datetime) -> PollResult[HackerNewsState]:
        """Ask for the next page. Raise `PollFailed`, `MalformedPage` and `SitesUnknown`."""
        hosts = own_hosts(self._options.sites, self._resources)
        turn = next((host for host in hosts if state.turn is not None and host >= state.turn), None)
        if state.newest_s is None or turn is None:
            newest_s = await self._newest_s()
            known = {host: searched for host, searched in state.sites.items() if host in hosts}
            return PollResult([], HackerNewsState(sites=known, newest_s=newest_s, turn=hosts[0]), is_complete=False)
        searched = state.sites.get(turn, Searched())
        hits = await self._page(turn, searched, state.before_s if turn == state.turn else None)
        history_until_s = searched.history_until_s
        records = await asyncio.to_thread(
            self._records, hits, state.newest_s if history_until_s is None else history_until_s, now
        )
        if len(hits) == PAGE_HITS:
            oldest_s = next(hit.item.created_s for hit in reversed(hits) if isinstance(hit.item, Item))
            return PollResult(records, replace(state, turn=turn, before_s=oldest_s), is_complete=False)
        done = Searched(state.newest_s, state.newest_s if history_until_s is None else history_until_s)
        following = next((host for host in hosts if host > turn), None)
        after = replace(state, sites={**state.sites, turn: done}, turn=following, before_s=None)
        if following is not None:
            return PollResult(records, after, is_complete=False)
        seen_until = to_datetime(state.newest_s * 1000)
        return PollResult(records, replace(after, newest_s=None), is_complete=True, seen_until=seen_until)

    async def _newest_s(self) -> int:
        """Return when the newest item of all came that the search has: there is one every few seconds."""
        page = await self._ask({"tags": "(story,comment)", "hitsPerPage": "1"})
        hits = self._hits(page)
        if not hits or isinstance(hits[0].item, Rejected):
            raise self._malformed(page, Rejected(Reason.MISSING_FIELD, "the search does not say how far it is"))
        return hits[0].item.created_s

    async def _page(self, host: str, searched: Searched, before_s: int | None) -> list[Hit]:
        bounds = []
        if searched.until_s is not None:
            bounds.append(f"created_at_i>={searched.until_s - round(OVERLAP.total_seconds())}")
        if before_s is not None:
            bounds.append(f"created_at_i<={before_s}")
        page = await self._ask(
            {
                "query": f'"{host}"',
                "restrictSearchableAttributes": "url,story_text,comment_text",
                "typoTolerance": "false",
                "tags": "(story,comment)",
                "hitsPerPage": str(PAGE_HITS),
                **({"numericFilters": ",".join(bounds)} if bounds else {}),
            }
        )
        hits = self._hits(page)
        if hits and all(isinstance(hit.item, Rejected) for hit in hits):
            raise self._malformed(page, Rejected(Reason.WRONG_TYPE, "no item of the answer can be read"))
        return hits

    async def _ask(self, query: dict[str, str]) -> Fetched:
        url = f"{self._address}?{urlencode(query)}"
        fetched = await self._resources.fetcher.fetch(url, accepted=_JSON, bytes_max=_PAGE_BYTES_MAX, is_api=True)
        return usable(fetched)

    def _hits(self, page: Fetched) -> list[Hit]:
        try:
            return hits_of(page.body)
        except Rejected as rejected:
            raise self._malformed(page, rejected) from None

    def _malformed(self, page: Fetched, rejected: Rejected) -> MalformedPage:
        return MalformedPage(page.body[:LETTER_BYTES], rejected, origin={"url": self._address})

    def _records(self, hits: list[Hit], history_until_s: int, now: datetime) -> list[FoundRecord | UnreadableRecord]:
        records: list[FoundRecord | UnreadableRecord] = []
        is_ours = known_sites(self._resources)
        for value, item in hits:
            if isinstance(item, Rejected):
                records.append(UnreadableRecord(value, item, {"url": self._address}))
                continue
            events = events_of(item, is_ours=is_ours, history_until_s=history_until_s, now=now)
            records += [found_link(event, url=self._address, item=item.id) for event in events]
        return records


KIND: Final = ConnectorKind(
    options=HackerNewsOptions,
    state=HackerNewsState,
    open=HackerNews,
    about="Stories and comments of Hacker News.",
    unseen="links that were removed again",
)
