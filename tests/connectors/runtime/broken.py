"""A connector that is right, and copies of it with one mistake each, which the contract's tests must find."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec

from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.fetching.outcomes import Fetched, Outcome
from flatline_connectors.runtime.config import ConnectorOptions
from flatline_connectors.runtime.connector import (
    ConnectorKind,
    FoundRecord,
    MalformedPage,
    PollResult,
    Resources,
    found_link,
    usable,
)
from tests.connectors.runtime import contract
from tests.connectors.runtime.contract import MakeWorld

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE = "https://yours.example/a"
JSON = frozenset({"application/json"})


class PagesOptions(ConnectorOptions, frozen=True, kw_only=True, tag="pages"):
    """No keys of its own."""


class PagesState(msgspec.Struct, frozen=True, kw_only=True):
    """The next page to read."""

    version: Literal[1] = 1
    page: int = 0


class PagesConnector:
    """Reads numbered pages of URLs, until one is empty."""

    def __init__(self, _options: PagesOptions, resources: Resources) -> None:
        self.fetcher = resources.fetcher

    async def poll(self, state: PagesState, now: datetime) -> PollResult[PagesState]:
        """Read one page."""
        page = usable(await self.fetcher.fetch(f"https://pages.example/{state.page}", accepted=JSON))
        after = PagesState(page=state.page + 1)
        try:
            urls: list[str] = msgspec.json.decode(page.body, type=list[str])
        except msgspec.DecodeError as error:
            raise self.malformed(page, str(error), after) from None
        if not urls:
            return PollResult([], state, is_complete=True, seen_until=now)
        return PollResult(self.records(urls, page), after, is_complete=False)

    def malformed(self, page: Fetched, why: str, after: PagesState) -> Exception:
        """Return what to raise for a page that can't be read."""
        return MalformedPage(page.body, Rejected(Reason.INVALID_JSON, why), origin={"url": page.url}, state=after)

    def records(self, urls: list[str], page: Fetched) -> list[FoundRecord]:
        """Return the links of a page."""
        return [found_link(LinkEvent(url, HERE, discovery="import"), url=page.url) for url in urls]


class PagesFetcher:
    """Serves the pages of a world."""

    def __init__(self, world: "Right") -> None:
        self._world = world

    async def fetch(self, url: str, **_how: object) -> Fetched:
        """Answer with a page, or once with 429."""
        if self._world.retry_after_s:
            retry_after_s, self._world.retry_after_s = self._world.retry_after_s, 0
            return Fetched(Outcome.RATE_LIMITED, url, status=429, retry_after_s=retry_after_s)
        number = int(url.rpartition("/")[2])
        pages = self._world.pages
        body = pages[number] if number < len(pages) else b"[]"
        return Fetched(Outcome.FETCHED, url, status=200, body=body, content_type="application/json")

    async def sitemaps(self, _url: str) -> tuple[str, ...]:
        """There are none."""
        return ()


class Right:
    """Three pages, and a connector without a mistake."""

    connector: type[PagesConnector] = PagesConnector
    now = NOW
    options = PagesOptions()

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.retry_after_s = 0
        self._names = [[f"https://a.example/{page}/{number}" for number in range(2)] for page in range(3)]
        self.pages = [json.dumps(names).encode() for names in self._names]
        connector = self.connector
        self.kind: ConnectorKind[Any, Any] = ConnectorKind(
            options=PagesOptions, state=PagesState, open=connector, about="Numbered pages."
        )
        self.records = {("link", url, HERE, "") for names in self._names for url in names}

    def resources(self) -> Resources:
        """Return what is lent."""
        return Resources(PagesFetcher(self), None, self._folder, self._folder)

    def add(self) -> None:
        """Append a page."""
        self.pages.append(b'["https://new.example/"]')
        self.records.add(("link", "https://new.example/", HERE, ""))

    def malform(self) -> None:
        """Spoil the page in the middle."""
        self.pages[1] = b"<html>"
        self.records -= {("link", url, HERE, "") for url in self._names[1]}

    def limit_rate(self, retry_after_s: int) -> bool:
        """Ask for a pause, once."""
        self.retry_after_s = retry_after_s
        return True


class _NeverMoves(PagesConnector):
    """Says that there is more, and stays where it is."""

    async def poll(self, state: PagesState, now: datetime) -> PollResult[PagesState]:
        result = await super().poll(state, now)
        return PollResult(result.records, state, is_complete=False)


class _RemembersItself(PagesConnector):
    """Keeps its position in memory, and ignores what is saved: whoever comes next begins elsewhere."""

    page = 0

    async def poll(self, state: PagesState, now: datetime) -> PollResult[PagesState]:  # noqa: ARG002
        result = await super().poll(PagesState(page=self.page), now)
        self.page += not result.is_complete
        return PollResult(result.records, PagesState(page=result.state.page + 1), is_complete=result.is_complete)


class _SavesTooMuch(PagesConnector):
    """Says that it is beyond a page that is still to come."""

    async def poll(self, state: PagesState, now: datetime) -> PollResult[PagesState]:
        if state.page:
            return await super().poll(state, now)
        first = await super().poll(state, now)
        return PollResult(first.records, PagesState(page=2), is_complete=False)


class _HoldsBack(PagesConnector):
    """Returns the records of a page with the next one: killed in between, they are lost."""

    def __init__(self, options: PagesOptions, resources: Resources) -> None:
        super().__init__(options, resources)
        self._held: list[FoundRecord] = []

    async def poll(self, state: PagesState, now: datetime) -> PollResult[PagesState]:
        result = await super().poll(state, now)
        held, self._held = self._held, list(result.records)  # type: ignore[arg-type]
        return PollResult(held, result.state, is_complete=result.is_complete, seen_until=result.seen_until)


class _IgnoresRetryAfter(PagesConnector):
    """Takes a 429 for an empty page."""

    async def poll(self, state: PagesState, now: datetime) -> PollResult[PagesState]:
        page = await self.fetcher.fetch(f"https://pages.example/{state.page}", accepted=JSON)
        if page.outcome is not Outcome.FETCHED:
            return PollResult([], state, is_complete=True)
        return await super().poll(state, now)


class _DropsWhatItCannotRead(PagesConnector):
    """Passes a malformed page over in silence."""

    async def poll(self, state: PagesState, now: datetime) -> PollResult[PagesState]:
        try:
            return await super().poll(state, now)
        except MalformedPage:
            return PollResult([], PagesState(page=state.page + 1), is_complete=False)


class _ClaimsTheFuture(PagesConnector):
    """Says that it has seen what is still to come."""

    async def poll(self, state: PagesState, now: datetime) -> PollResult[PagesState]:
        result = await super().poll(state, now)
        return PollResult(result.records, result.state, result.is_complete, seen_until=now + timedelta(days=1))


def _world(connector: type[PagesConnector]) -> type[Right]:
    return type(connector.__name__.strip("_"), (Right,), {"connector": connector, "__doc__": connector.__doc__})


BROKEN: list[tuple[Callable[[Path], Any], Callable[[MakeWorld], None]]] = [
    (_world(_NeverMoves), contract.finds_everything),
    (_world(_NeverMoves), contract.has_metrics),
    (_world(_SavesTooMuch), contract.finds_everything),
    (_world(_RemembersItself), contract.says_the_same_again),
    (_world(_HoldsBack), contract.survives_a_kill_at_any_step),
    (_world(_HoldsBack), contract.ends_when_it_is_cancelled),
    (_world(_IgnoresRetryAfter), contract.waits_as_long_as_it_is_asked),
    (_world(_DropsWhatItCannotRead), contract.keeps_what_it_cannot_read),
    (_world(_ClaimsTheFuture), contract.claims_only_what_it_saw),
]
