"""The connector: for each target, a pass over the links by when they were first seen, and one over the lost ones."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from flatline.schema.limits import Url
from flatline.schema.rejection import Rejected
from flatline_connectors.fetching.exchange import ApiRequest
from flatline_connectors.fetching.outcomes import Action, Fetched
from flatline_connectors.runtime.config import ConnectorOptions, Duration, Secret, duration_s
from flatline_connectors.runtime.connector import (
    ConnectorKind,
    PollFailed,
    PollResult,
    Resources,
)
from flatline_connectors.runtime.cost import RunCost
from flatline_connectors.runtime.own_sites import own_hosts
from flatline_connectors.semrush.answers import FIELDS, FORMAT, Page, read_page
from flatline_connectors.vendors.passes import Pass, Wanted, passes_over, turn_after
from flatline_connectors.vendors.records import history_before, records_of, refused_as_a_whole
from flatline_connectors.vendors.requests import BudgetTooSmall, ask

OVERLAP: Final = timedelta(days=2)
ROWS_MIN: Final = 10
ROWS_MAX: Final = 10_000
STEPS_BACK_MAX: Final = 5
_OVERLAPPING_PART: Final = 10

Scope = Literal["PAGE", "SUBFOLDER", "SUBDOMAIN", "ROOT_DOMAIN"]

_SORTED_BY: Final[dict[Wanted, str]] = {"links": "first_seen_at", "losses": "last_seen_at"}


class SemrushOptions(ConnectorOptions, frozen=True, kw_only=True, tag="semrush"):
    """Which links are asked for, and how many at a time."""

    key: Annotated[Secret, Meta(description="A key of API v4; keys of v3 are refused")]
    every: Annotated[Duration, Meta(description="How often it runs, give or take a tenth")] = "1d"
    targets: Annotated[tuple[str, ...], Meta(description="Domains or addresses; else your sites")] = ()
    scope: Annotated[Scope, Meta(description="What of a target counts, in Semrush's words")] = "ROOT_DOMAIN"
    backfill: Annotated[Duration, Meta(description="How far back the first run goes")] = "90d"
    losses: Annotated[Duration, Meta(description="How long ago a link was last seen that a run may find lost")] = "30d"
    rows: Annotated[int, Meta(ge=ROWS_MIN, le=ROWS_MAX, description="Rows a request")] = 100
    units_per_row: Annotated[int, Meta(ge=0, description="What a row costs in your plan")] = 40
    server: Annotated[Url, Meta(description="Where the API is")] = "https://api.semrush.com"


class SemrushState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the answers were read.

    ``upto``        by pass (``links yours.example``): what was seen up to then needs not be asked for again, but for
                    what comes late. Of links it is when the newest was first seen, of losses when the pass began
    ``began_at``    when the run began that is under way; None: there is none
    ``turn``        the pass that is under way, and ``offset`` its next page
    ``newest``      the newest instant of the pass, which its first page has
    ``oldest``      the instant of the last row so far
    ``steps_back``  how often rows were found to have moved while the pass read them
    """

    version: Literal[1] = 1
    upto: dict[str, datetime] = {}
    began_at: datetime | None = None
    turn: str | None = None
    offset: int = 0
    newest: datetime | None = None
    oldest: datetime | None = None
    steps_back: int = 0


class Semrush:
    """One poll asks for one page."""

    def __init__(self, options: SemrushOptions, resources: Resources) -> None:
        self._options = options
        self._resources = resources

    def cost_of_run(self) -> RunCost:
        """Return what a run costs. As nothing can be asked for by its age, each pass pays for a page of known rows."""
        passes, rows = len(self._passes()), self._options.rows
        self._refuse_small_budget()
        new_rows = rows - _overlapping(rows)
        return RunCost(
            requests=passes,
            links_per_request=new_rows,
            units=passes * rows * self._options.units_per_row,
            units_per_link=self._options.units_per_row * rows / new_rows,
            overlap=OVERLAP,
            remark=(
                f"A row is taken to cost {self._options.units_per_row} units (units_per_row). Each run pays again for "
                f"all lost links last seen in the last {self._options.losses}. The first run asks for all of the last "
                f"{self._options.backfill}; nobody can know how many these are."
            ),
        )

    async def poll(self, state: SemrushState, now: datetime) -> PollResult[SemrushState]:
        """Ask for the next page. Raise `PollFailed`, `MalformedPage` and a `ConnectorError`."""
        passes = self._passes()
        if state.began_at is None or state.turn not in passes:
            upto = {each: instant for each, instant in state.upto.items() if each in passes}
            state = SemrushState(upto=upto, began_at=now, turn=next(iter(passes)))
        assert state.turn is not None
        assert state.began_at is not None
        asked = passes[state.turn]
        fetched = await self._ask(asked, state.offset)
        origin = {"url": self._address, "target": asked.target}
        known = state.upto.get(state.turn) if asked.wanted == "links" else None
        with refused_as_a_whole(fetched.body, self._key, origin):
            page = read_page(fetched.body, sorted_by=_SORTED_BY[asked.wanted])
            records = records_of(
                page.body,
                FORMAT,
                rows=len(page.rows),
                pulled_at=now,
                history_before=history_before(known, began_at=state.began_at, overlap=OVERLAP),
                is_ours=self._resources.is_ours,
                origin=origin,
            )
        if not page.is_sorted:
            raise PollFailed(
                Action.WAIT, f"Semrush's rows are not in the order of {_SORTED_BY[asked.wanted]}: nothing is certain"
            )
        if state.offset and page.seen and state.oldest and page.seen[0] < state.oldest:
            return PollResult(records, self._step_back(state), is_complete=False)
        limit = min(self._options.rows, page.limit or self._options.rows)
        if not self._is_last(state, asked, page, limit):
            return PollResult(records, _next_page(state, page), is_complete=False)
        after = _next_pass(state, page, passes)
        return PollResult(records, after, is_complete=after.turn is None)

    @property
    def _key(self) -> str:
        return self._options.key.read(self._resources.folder)

    @property
    def _address(self) -> str:
        return f"{self._options.server.rstrip('/')}/apis/v4/backlinks/v1/links"

    def _passes(self) -> dict[str, Pass]:
        targets = self._options.targets or own_hosts(self._options.sites, self._resources)
        return passes_over(targets)

    def _is_last(self, state: SemrushState, asked: Pass, page: Page, limit: int) -> bool:
        """Whether nothing follows a page, or nothing that is young enough."""
        assert state.turn is not None
        assert state.began_at is not None
        known = state.upto.get(state.turn)
        if known is None:
            since = state.began_at - timedelta(seconds=duration_s(self._options.backfill))
        elif asked.wanted == "links":
            since = known - OVERLAP
        else:  # the last sight of a link may be long before its loss is discovered
            since = known - timedelta(seconds=duration_s(self._options.losses))
        is_end = len(page.rows) < limit or (page.total is not None and state.offset + len(page.rows) >= page.total)
        return is_end or min(page.seen, default=since) < since

    def _step_back(self, state: SemrushState) -> SemrushState:
        """Return where to go on if rows above a page vanished: others have moved up, to where nobody looks any more.

        If that does not help, the pass begins anew; the runtime ends a run that comes to the same position twice.
        """
        if state.steps_back == STEPS_BACK_MAX:
            return SemrushState(upto=state.upto, began_at=state.began_at, turn=state.turn)
        offset = max(0, state.offset - self._options.rows)
        return replace(state, offset=offset, steps_back=state.steps_back + 1)

    def _refuse_small_budget(self) -> None:
        units, needed = self._options.budget.units, self._options.rows * self._options.units_per_row
        if units is not None and units < needed:
            raise BudgetTooSmall(
                f"A budget of {units:,} units pays for no page of {self._options.rows:,} rows: {needed:,}."
            )

    async def _ask(self, asked: Pass, offset: int) -> Fetched:
        self._refuse_small_budget()
        query = {
            "url": asked.target,
            "scope": self._options.scope,
            "fields": ",".join(FIELDS),
            **({"filter": "is_lost = true"} if asked.wanted == "losses" else {}),
            "order_by": _SORTED_BY[asked.wanted],
            "direction": "desc",
            "limit": str(self._options.rows),
            "offset": str(offset),
            "format": "json",
        }
        key = self._key
        return await ask(
            self._resources,
            f"{self._address}?{urlencode(query)}",
            ApiRequest({"Authorization": f"Apikey {key}", "Accept": "application/json"}),
            vendor="Semrush",
            secret=key,
            units=self._options.rows * self._options.units_per_row,
            units_charged=self._units_charged,
        )

    def _units_charged(self, fetched: Fetched) -> int | None:
        """Return what the rows of an answer cost; None where it has none: then nobody knows."""
        try:
            return len(read_page(fetched.body, sorted_by="first_seen_at").rows) * self._options.units_per_row
        except Rejected:
            return None


def _overlapping(rows: int) -> int:
    """Return how many rows of a page come again at the head of the next one, in case some before them vanish."""
    return min(rows - 1, max(1, rows // _OVERLAPPING_PART))


def _next_page(state: SemrushState, page: Page) -> SemrushState:
    newest = state.newest or max(page.seen, default=None)
    rows = len(page.rows)
    return replace(
        state,
        offset=state.offset + rows - _overlapping(rows),
        newest=newest,
        oldest=min(page.seen, default=state.oldest),
    )


def _next_pass(state: SemrushState, page: Page, passes: Mapping[str, Pass]) -> SemrushState:
    """Return the position after a pass. Links that appeared while it went on are the next run's.

    An instant that is still to come is a mistake, and does not count.
    """
    assert state.turn is not None
    assert state.began_at is not None
    newest: datetime | None = state.began_at
    if passes[state.turn].wanted == "links":
        seen = state.newest or max(page.seen, default=None)
        newest = min(seen, state.began_at) if seen else state.upto.get(state.turn)
    known = {**state.upto, state.turn: newest} if newest else state.upto
    following = turn_after(state.turn, passes)
    return SemrushState(upto=known, began_at=state.began_at if following else None, turn=following)


KIND: Final = ConnectorKind(
    options=SemrushOptions,
    state=SemrushState,
    open=Semrush,
    about="Backlinks that Semrush found and lost, by its API v4.",
    unseen="links that Semrush's crawler has not seen, and when a link was lost",
)
