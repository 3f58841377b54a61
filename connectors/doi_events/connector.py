"""The connectors: ask a registry for the events of DOI prefixes, page by page."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, NamedTuple
from urllib.parse import urlencode

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from flatline.schema.limits import Url
from flatline.schema.rejection import Rejected
from flatline_connectors.doi_events.events import ReadPage, event_of, read_crossref, read_datacite
from flatline_connectors.fetching.outcomes import Action
from flatline_connectors.runtime.config import ConnectorOptions, Duration
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
from flatline_connectors.runtime.own_sites import own_hosts

PAGE_EVENTS: Final = 1_000
OVERLAP: Final = timedelta(days=2)
"""Filters count in days, and a day is not complete at its end: each run asks again for the last two."""
_JSON: Final = frozenset({"application/json", "application/vnd.api+json"})
_PAGE_BYTES_MAX: Final = 32 << 20

Prefix = Annotated[str, Meta(pattern=r"^10\.[0-9]{4,9}(?!\n)$")]


class CrossrefOptions(ConnectorOptions, frozen=True, kw_only=True, tag="crossref"):
    """Which events are asked for, and where."""

    every: Annotated[Duration, Meta(description="How often it runs, give or take a tenth")] = "6h"
    prefixes: Annotated[tuple[Prefix, ...], Meta(description="DOI prefixes of yours; else landing pages count")] = ()
    server: Annotated[Url, Meta(description="Where the events are")] = "https://api.eventdata.crossref.org"


class DataciteOptions(ConnectorOptions, frozen=True, kw_only=True, tag="datacite"):
    """Which events are asked for, and where."""

    every: Annotated[Duration, Meta(description="How often it runs, give or take a tenth")] = "1d"
    prefixes: Annotated[tuple[Prefix, ...], Meta(min_length=1, description="DOI prefixes of yours")]
    server: Annotated[Url, Meta(description="Where the events are")] = "https://api.datacite.org"


class DoiEventsState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a registry was read.

    ``known_until``  by question, when the last complete reading began; what has changed since is new
    ``began_at``     when the run began that is under way; None: there is none
    ``turn``         the question that is asked; ``cursor``: its next page
    """

    version: Literal[1] = 1
    known_until: dict[str, datetime] = {}
    began_at: datetime | None = None
    turn: str | None = None
    cursor: str = ""

    @property
    def since(self) -> datetime | None:
        """From when on the question asks for changes; None: it was never answered to the end."""
        known_until = self.known_until.get(self.turn or "")
        return None if known_until is None else known_until - OVERLAP


class _Registry(NamedTuple):
    """How a registry is asked.

    ``questions``  what is asked of it, in their order: names that stay the same from run to run
    ``address``    of the page that a position is at
    """

    questions: Callable[[], list[str]]
    address: Callable[["DoiEventsState"], str]
    read: Callable[[bytes], ReadPage]


class DoiEvents:
    """One poll asks for one page."""

    def __init__(self, registry: _Registry, resources: Resources) -> None:
        self._registry = registry
        self._resources = resources

    async def poll(self, state: DoiEventsState, now: datetime) -> PollResult[DoiEventsState]:
        """Ask for the next page. Raise `PollFailed`, `MalformedPage` and a `ConnectorError`."""
        questions = self._registry.questions()
        if state.began_at is None or state.turn not in questions:
            known = {each: until for each, until in state.known_until.items() if each in questions}
            state = DoiEventsState(known_until=known, began_at=now, turn=questions[0])
        assert state.turn is not None
        since = state.since
        address = self._registry.address(state)
        page = await self._resources.fetcher.fetch(address, accepted=_JSON, bytes_max=_PAGE_BYTES_MAX, is_api=True)
        if page.outcome.action is Action.SKIP and state.cursor:
            return PollResult([], replace(state, cursor=""), is_complete=False)  # cursors do not hold for ever
        origin = {"url": address.partition("?")[0]}
        try:
            read = self._registry.read(usable(page).body)
        except Rejected as rejected:
            raise MalformedPage(page.body[:LETTER_BYTES], rejected, origin=origin) from None
        records: list[FoundRecord | UnreadableRecord] = []
        for value, said in read.events:
            if isinstance(said, Rejected):
                records.append(UnreadableRecord(value[:LETTER_BYTES], said, origin))
            elif since is None or said.changed_at >= since:
                event = event_of(said, is_ours=self._resources.is_ours, is_history=since is None)
                records += [found_link(event, **origin)] if event is not None else []
        if read.cursor is not None and read.events:
            return PollResult(records, replace(state, cursor=read.cursor), is_complete=False)
        following = next((each for each in questions if each > state.turn), None)
        done = {**state.known_until, state.turn: state.began_at or now}
        after = DoiEventsState(known_until=done, began_at=state.began_at if following else None, turn=following)
        return PollResult(records, after, is_complete=following is None)


def _crossref(options: CrossrefOptions, resources: Resources) -> DoiEvents:
    """Crossref is asked twice: for what was collected, and for what was changed since, which has deletions, too."""
    server = options.server.rstrip("/")

    def questions() -> list[str]:
        filters = [f"obj-id.prefix={prefix}" for prefix in options.prefixes]
        filters = filters or [f"obj.url.domain={host}" for host in own_hosts(options.sites, resources)]
        return sorted(f"{name} {which}" for name in ("collected", "updated") for which in filters)

    def address(state: DoiEventsState) -> str:
        assert state.turn is not None
        which, _, named = state.turn.partition(" ")
        name, _, value = named.partition("=")
        query = {name: value, "rows": str(PAGE_EVENTS)}
        since = state.since
        if since is None and which == "updated":
            since = state.began_at  # what was deleted before was never sent
        if since is not None:
            query[f"from-{which}-date"] = f"{since:%Y-%m-%d}"
        if state.cursor:
            query["cursor"] = state.cursor
        return f"{server}/v1/events?{urlencode(query)}"

    return DoiEvents(_Registry(questions, address, read_crossref), resources)


def _datacite(options: DataciteOptions, resources: Resources) -> DoiEvents:
    """DataCite is asked for all events each time, as it has no filter for when they changed."""
    server = options.server.rstrip("/")

    def address(state: DoiEventsState) -> str:
        query = {"prefix": state.turn, "page[size]": str(PAGE_EVENTS), "page[cursor]": state.cursor or "1"}
        return f"{server}/events?{urlencode(query)}"

    return DoiEvents(_Registry(lambda: sorted({*options.prefixes}), address, read_datacite), resources)


CROSSREF: Final = ConnectorKind(
    options=CrossrefOptions,
    state=DoiEventsState,
    open=_crossref,
    about="Web pages that mention publications with a DOI, as Crossref tells them.",
    unseen="mentions without a DOI or its landing page",
)
DATACITE: Final = ConnectorKind(
    options=DataciteOptions,
    state=DoiEventsState,
    open=_datacite,
    about="Web pages that mention publications with a DOI, as DataCite tells them.",
    unseen="mentions without a DOI",
)
