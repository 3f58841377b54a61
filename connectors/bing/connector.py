"""The connector: asks which of your pages have links, then for the links of each, and compares: Bing has no dates."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

import msgspec
import xxhash
from msgspec import Meta
from msgspec.structs import replace

from flatline.schema.limits import Url
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.bing.answers import FORMAT, read_error, read_linked_pages, read_links
from flatline_connectors.fetching.exchange import ApiRequest
from flatline_connectors.fetching.outcomes import Action, Fetched
from flatline_connectors.runtime.config import ConnectorOptions, Duration, Secret
from flatline_connectors.runtime.connector import (
    ConnectorKind,
    FoundRecord,
    PollFailed,
    PollResult,
    Resources,
    UnreadableRecord,
)
from flatline_connectors.runtime.cost import RunCost
from flatline_connectors.runtime.own_sites import own_hosts
from flatline_connectors.vendors.passes import turn_after
from flatline_connectors.vendors.records import records_of, refused_as_a_whole
from flatline_connectors.vendors.requests import Refused, ask

LINKS_MAX: Final = 20_000
"""How many links of a page are read: their digests have to fit into a record."""
_PAGES_MAX: Final = 10_000


class BingOptions(ConnectorOptions, frozen=True, kw_only=True, tag="bing"):
    """Whose links are asked for."""

    key: Annotated[Secret, Meta(description="An API key of Bing Webmaster Tools")]
    every: Annotated[Duration, Meta(description="How often it runs, give or take a tenth")] = "1d"
    targets: Annotated[tuple[Url, ...], Meta(description="Verified sites, by their addresses; else yours")] = ()
    server: Annotated[Url, Meta(description="Where the API is")] = "https://ssl.bing.com"


class BingState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a run is, and what was seen before.

    ``known``      by the digest of each of your pages, the digests of the pages that link to it
    ``read``       the sites of which a run has seen all: from then on an unknown link is a new one
    ``turn``       the site that is read; None: no run is under way
    ``list_page``  the next page of the list of its pages that have links; None: there is none
    ``queue``      its pages that are to be asked about
    ``page``       the next page of the links of the first of these
    """

    version: Literal[1] = 1
    known: dict[str, list[str]] = {}
    read: tuple[str, ...] = ()
    turn: str | None = None
    list_page: int | None = 0
    queue: tuple[str, ...] = ()
    page: int = 0


class Bing:
    """One poll asks for one page: of the list of your pages, or of the links of one of them."""

    def __init__(self, options: BingOptions, resources: Resources) -> None:
        self._options = options
        self._resources = resources

    def cost_of_run(self) -> RunCost:
        """Return how many requests a run makes at least."""
        return RunCost(
            requests=len(self._targets()),
            links_per_request=1,
            remark=(
                "Bing charges nothing. Each run asks for the links of each of your pages that has some, one by one: "
                "a new link adds a request if it is the first of its page."
            ),
        )

    async def poll(self, state: BingState, now: datetime) -> PollResult[BingState]:
        """Ask for the next page. Raise `PollFailed`, `MalformedPage` and a `ConnectorError`."""
        targets = self._targets()
        if state.turn not in targets:
            state = BingState(known=state.known, read=state.read, turn=targets[0])
        assert state.turn is not None
        if state.queue:
            return await self._links(state, state.turn, state.queue[0], now)
        if state.list_page is None:
            return self._result([], state)  # the last of its pages was malformed
        return await self._list(state, state.turn, state.list_page)

    async def _list(self, state: BingState, site: str, number: int) -> PollResult[BingState]:
        try:
            fetched = await self._ask("GetLinkCounts", {"siteUrl": site, "page": str(number)})
        except Refused as refused:
            if refused.action is Action.SKIP:
                raise PollFailed(Action.STOP, f"{refused.detail}: is {site} verified there in this form?") from None
            raise
        origin = {"url": self._address("GetLinkCounts"), "target": site}
        with refused_as_a_whole(fetched.body, self._key, origin):
            found = read_linked_pages(fetched.body)
        following = number + 1 if not found.is_empty and number + 1 < min(found.pages, _PAGES_MAX) else None
        return self._result([], replace(state, list_page=following, queue=tuple(dict.fromkeys(found.urls)), page=0))

    async def _links(self, state: BingState, site: str, url_to: str, now: datetime) -> PollResult[BingState]:
        origin = {"url": self._address("GetUrlLinks"), "target": url_to}
        try:
            query = {"siteUrl": site, "link": url_to, "page": str(state.page)}
            fetched = await self._ask("GetUrlLinks", query)
        except Refused as refused:
            if refused.action is Action.SKIP:
                letter = UnreadableRecord(url_to.encode(), Rejected(Reason.INVALID_URL, refused.detail), origin)
                return self._result([letter], _next_article(state))
            raise
        article = xxhash.xxh3_64_hexdigest(url_to.encode())
        known = state.known.get(article, [])
        with refused_as_a_whole(fetched.body, self._key, origin, _next_article(state)):
            found = read_links(fetched.body)
            new = found.beyond({*known}, links_max=LINKS_MAX)
            records = records_of(
                new.body(url_to),
                FORMAT,
                rows=len(new.rows),
                pulled_at=now,
                history_before=None,
                is_ours=self._resources.is_ours,
                origin=origin,
                discovery="page_found" if site in state.read else None,
            )
        seen = [*known, *new.digests]
        state = replace(state, known={**state.known, article: seen}) if new.rows else state
        is_end = not found.rows or state.page + 1 >= min(found.pages, _PAGES_MAX) or len(seen) >= LINKS_MAX
        return self._result(records, _next_article(state) if is_end else replace(state, page=state.page + 1))

    def _result(self, records: Sequence[FoundRecord | UnreadableRecord], state: BingState) -> PollResult[BingState]:
        """Return the result of a poll: with the next site where nothing of this one is left."""
        if state.queue or state.list_page is not None:
            return PollResult(records, state, is_complete=False)
        assert state.turn is not None
        targets = self._targets()
        following = turn_after(state.turn, targets)
        read = tuple(sorted({*state.read, state.turn}))
        return PollResult(
            records, BingState(known=state.known, read=read, turn=following), is_complete=following is None
        )

    @property
    def _key(self) -> str:
        return self._options.key.read(self._resources.folder)

    def _address(self, method: str) -> str:
        return f"{self._options.server.rstrip('/')}/webmaster/api.svc/json/{method}"

    def _targets(self) -> list[str]:
        hosts = () if self._options.targets else own_hosts(self._options.sites, self._resources)
        return sorted({*self._options.targets, *(f"https://{host}/" for host in hosts)})

    async def _ask(self, method: str, query: Mapping[str, str]) -> Fetched:
        key = self._key
        return await ask(
            self._resources,
            f"{self._address(method)}?{urlencode({'apikey': key, **query})}",
            ApiRequest({"Accept": "application/json"}),
            vendor="Bing",
            secret=key,
            read_error=read_error,
        )


def _next_article(state: BingState) -> BingState:
    return replace(state, queue=state.queue[1:], page=0)


KIND: Final = ConnectorKind(
    options=BingOptions,
    state=BingState,
    open=Bing,
    about="Links that Bing knows of to your sites, by the API of Bing Webmaster Tools.",
    parts="known",
    unseen="when a link appeared, what its rel is, and whether one that Bing no longer shows is lost",
)
