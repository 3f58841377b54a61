"""The connector: for each target, a pass over the links that are new, and one over those that are lost."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from flatline.schema.limits import Url
from flatline_connectors.ahrefs.answers import FORMAT, Page, read_page
from flatline_connectors.ahrefs.requests import FIELDS, SORTED_BY, UNITS_MIN, Mode, query_of, units_of
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
from flatline_connectors.vendors.passes import Pass, passes_over, turn_after
from flatline_connectors.vendors.records import asked_from, history_before, records_of, refused_as_a_whole
from flatline_connectors.vendors.requests import BudgetTooSmall, ask

OVERLAP: Final = timedelta(days=1)
"""Links reach the index some time after they were seen: each run asks again for those of the last day."""
ROWS_MIN: Final = 10
ROWS_MAX: Final = 100_000
_ROWS_OF_PLANS: Final = frozenset({100, 250, 500})
"""What plans allow in a request. Nothing says whether an answer with so many rows was cut off by the plan."""

_WIDER: Final = 10
_COST_HEADERS: Final = ("x-api-units-cost-total-actual", "x-api-units-cost-total")


class AhrefsOptions(ConnectorOptions, frozen=True, kw_only=True, tag="ahrefs"):
    """Which links are asked for, and how many at a time."""

    key: Annotated[Secret, Meta(description="An API key of your workspace")]
    every: Annotated[Duration, Meta(description="How often it runs, give or take a tenth")] = "1d"
    targets: Annotated[tuple[str, ...], Meta(description="Domains or addresses; else your sites")] = ()
    mode: Annotated[Mode, Meta(description="What of a target counts, in Ahrefs' words")] = "subdomains"
    backfill: Annotated[Duration, Meta(description="How far back the first run goes")] = "90d"
    rows: Annotated[int, Meta(ge=ROWS_MIN, le=ROWS_MAX, description="Rows a request, as your plan allows")] = 100
    server: Annotated[Url, Meta(description="Where the API is")] = "https://api.ahrefs.com"


class AhrefsState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the answers were read.

    ``upto``      by target and pass (``links yours.example``), the newest instant of all rows of complete passes
    ``began_at``  when the run began that is under way; None: there is none
    ``turn``      the pass that is under way
    ``since``     where its next page begins; None: at its beginning
    ``rows``      how many rows that is asked for, if more than usual
    """

    version: Literal[1] = 1
    upto: dict[str, datetime] = {}
    began_at: datetime | None = None
    turn: str | None = None
    since: datetime | None = None
    rows: int | None = None


class Ahrefs:
    """One poll asks for one page."""

    def __init__(self, options: AhrefsOptions, resources: Resources) -> None:
        self._options = options
        self._resources = resources

    def cost_of_run(self) -> RunCost:
        """Return what a run costs: two passes a target."""
        passes = len(self._passes())
        return RunCost(
            requests=passes,
            links_per_request=self._rows,
            units=passes * UNITS_MIN,
            units_per_link=len(FIELDS),
            overlap=OVERLAP,
            remark=(
                "Losses cost as much as links. Each run asks again for the last day before the newest of them. "
                f"The first run asks for all of the last {self._options.backfill}; nobody can know how many these are."
            ),
        )

    async def poll(self, state: AhrefsState, now: datetime) -> PollResult[AhrefsState]:
        """Ask for the next page. Raise `PollFailed`, `MalformedPage` and a `ConnectorError`."""
        passes = self._passes()
        if state.began_at is None or state.turn not in passes:
            upto = {each: instant for each, instant in state.upto.items() if each in passes}
            state = AhrefsState(upto=upto, began_at=now, turn=next(iter(passes)))
        assert state.turn is not None
        assert state.began_at is not None
        wanted, target = passes[state.turn]
        since = state.since or asked_from(
            state.upto.get(state.turn),
            began_at=state.began_at,
            backfill_s=duration_s(self._options.backfill),
            overlap=OVERLAP,
        )
        rows = state.rows or self._rows
        fetched = await self._ask(query_of(target, self._options.mode, wanted, since=since, rows=rows), rows)
        origin = {"url": self._address, "target": target}
        known = state.upto.get(state.turn) if wanted == "links" else None
        with refused_as_a_whole(fetched.body, self._key, origin):
            page = read_page(fetched.body, sorted_by=SORTED_BY[wanted])
            records = records_of(
                fetched.body,
                FORMAT,
                rows=page.rows,
                pulled_at=now,
                history_before=history_before(known, began_at=state.began_at, overlap=OVERLAP),
                is_ours=self._resources.is_ours,
                origin=origin,
            )
        if not page.is_sorted:
            raise PollFailed(
                Action.WAIT, f"Ahrefs' rows are not in the order of {SORTED_BY[wanted]}: nothing is certain"
            )
        if page.rows >= rows or page.rows in _ROWS_OF_PLANS:
            return PollResult(records, self._next_page(state, page, since, rows), is_complete=False)
        after = _next_pass(state, page, passes)
        return PollResult(records, after, is_complete=after.turn is None)

    @property
    def _key(self) -> str:
        return self._options.key.read(self._resources.folder)

    @property
    def _address(self) -> str:
        return f"{self._options.server.rstrip('/')}/v3/site-explorer/all-backlinks"

    @property
    def _rows(self) -> int:
        """How many rows a page has: no more than the whole budget pays for."""
        units = self._options.budget.units
        rows = self._options.rows if units is None else min(self._options.rows, units // len(FIELDS))
        if rows < ROWS_MIN:
            needed = units_of(ROWS_MIN)
            raise BudgetTooSmall(f"A budget of {units:,} units pays for no page: {needed:,} are needed at once.")
        return rows

    def _passes(self) -> dict[str, Pass]:
        targets = self._options.targets or own_hosts(self._options.sites, self._resources)
        return passes_over(targets)

    def _next_page(self, state: AhrefsState, page: Page, since: datetime, rows: int) -> AhrefsState:
        """Return where the next page begins: at the instant of the last row, which others may share."""
        newest = max(page.seen, default=since)
        if newest > since:
            return replace(state, since=newest, rows=None)
        wider = min(rows * _WIDER, self._affordable, ROWS_MAX)
        if page.rows < rows or wider <= rows:
            detail = (
                f"more than {page.rows:,} rows were seen at {newest:%Y-%m-%d %H:%M:%S} UTC, and no request shows all"
            )
            raise PollFailed(Action.STOP, f"{detail}: raise rows, or budget.units, in its section")
        return replace(state, since=since, rows=wider)

    @property
    def _affordable(self) -> int:
        units = self._options.budget.units
        return ROWS_MAX if units is None else units // len(FIELDS)

    async def _ask(self, query: str, rows: int) -> Fetched:
        key = self._key
        return await ask(
            self._resources,
            f"{self._address}?{query}",
            ApiRequest({"Authorization": f"Bearer {key}", "Accept": "application/json"}),
            vendor="Ahrefs",
            secret=key,
            units=units_of(rows),
            units_charged=_units_charged,
        )


def _units_charged(fetched: Fetched) -> int | None:
    """Return the units that an answer cost, as it says itself."""
    said = next((said for name in _COST_HEADERS if (said := fetched.headers.get(name, "")).isdecimal()), None)
    return None if said is None else int(said)


def _next_pass(state: AhrefsState, page: Page, passes: Mapping[str, Pass]) -> AhrefsState:
    """Return the position after a pass. An instant that is still to come is a mistake, and does not count."""
    assert state.turn is not None
    assert state.began_at is not None
    reached = [state.upto.get(state.turn), state.since, max(page.seen, default=None)]
    upto = [min(instant, state.began_at) for instant in reached if instant is not None]
    known = {**state.upto, state.turn: max(upto)} if upto else state.upto
    following = turn_after(state.turn, passes)
    return AhrefsState(upto=known, began_at=state.began_at if following else None, turn=following)


KIND: Final = ConnectorKind(
    options=AhrefsOptions,
    state=AhrefsState,
    open=Ahrefs,
    about="Backlinks that Ahrefs found and lost, by its API.",
    unseen="links that Ahrefs' crawler has not seen, and when within its last visits a link came or went",
)
