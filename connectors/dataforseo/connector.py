"""The connector: for each target, a pass over the links by when they were first seen, and one over the lost ones."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from flatline.schema.limits import Url
from flatline_connectors.dataforseo.answers import FORMAT, read_error, read_page, usd_charged
from flatline_connectors.fetching.exchange import ApiRequest
from flatline_connectors.fetching.outcomes import Action, Fetched
from flatline_connectors.runtime.config import ConnectorOptions, Duration, Secret, duration_s
from flatline_connectors.runtime.connector import ConnectorKind, PollFailed, PollResult, Resources
from flatline_connectors.runtime.cost import RunCost
from flatline_connectors.runtime.own_sites import own_hosts
from flatline_connectors.vendors.passes import Pass, Wanted, passes_over, turn_after, without_www
from flatline_connectors.vendors.records import asked_from, history_before, records_of, refused_as_a_whole
from flatline_connectors.vendors.requests import BudgetTooSmall, Refused, ask, basic_authorization

OVERLAP: Final = timedelta(days=2)
"""Links may reach the index some time after they were seen: each run asks again for those of the last days."""
ROWS_MIN: Final = 10
ROWS_MAX: Final = 1_000
UNITS_PER_USD: Final = 100_000

SORTED_BY: Final[dict[Wanted, str]] = {"links": "first_seen", "losses": "last_seen"}
"""Of a lost link, ``last_seen`` is the visit that found it gone."""

_STATUS: Final[dict[Wanted, str]] = {"links": "live", "losses": "lost"}


class DataForSeoOptions(ConnectorOptions, frozen=True, kw_only=True, tag="dataforseo"):
    """Which links are asked for, and how many at a time."""

    key: Annotated[Secret, Meta(description="LOGIN:PASSWORD of the API, which are not those of the website")]
    every: Annotated[Duration, Meta(description="How often it runs, give or take a tenth")] = "1d"
    targets: Annotated[tuple[str, ...], Meta(description="Domains or addresses; else your sites")] = ()
    subdomains: Annotated[bool, Meta(description="Whether links to subdomains of a target count")] = True
    backfill: Annotated[Duration, Meta(description="How far back the first run goes")] = "90d"
    rows: Annotated[int, Meta(ge=ROWS_MIN, le=ROWS_MAX, description="Rows a request")] = ROWS_MAX
    units_per_request: Annotated[int, Meta(ge=0, description="What a request costs, in 0.00001 USD")] = 2_000
    units_per_row: Annotated[int, Meta(ge=1, description="What a row costs, in 0.00001 USD")] = 3
    server: Annotated[Url, Meta(description="Where the API is")] = "https://api.dataforseo.com"


class DataForSeoState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the answers were read.

    ``upto``      by pass (``links yours.example``), the newest instant of all rows of complete passes
    ``began_at``  when the run began that is under way; None: there is none
    ``turn``      the pass that is under way
    ``since``     from when on it asks; None: from its beginning
    ``token``     what its next page is asked for with; empty: its first
    ``reached``   the newest instant of its rows so far
    """

    version: Literal[1] = 1
    upto: dict[str, datetime] = {}
    began_at: datetime | None = None
    turn: str | None = None
    since: datetime | None = None
    token: str = ""
    reached: datetime | None = None


class DataForSeo:
    """One poll asks for one page."""

    def __init__(self, options: DataForSeoOptions, resources: Resources) -> None:
        self._options = options
        self._resources = resources

    def cost_of_run(self) -> RunCost:
        """Return what a run costs: two passes a target."""
        passes, per_request = len(self._passes()), self._options.units_per_request
        return RunCost(
            requests=passes,
            links_per_request=self._rows,
            units=passes * per_request,
            units_per_link=self._options.units_per_row + per_request / self._rows,
            overlap=OVERLAP,
            remark=(
                f"A unit is 0.00001 USD: {UNITS_PER_USD:,} units are a dollar. Losses cost as much as links. "
                "Each run asks again for the last two days before the newest of them. "
                f"The first run asks for all of the last {self._options.backfill}; nobody can know how many these are."
            ),
        )

    async def poll(self, state: DataForSeoState, now: datetime) -> PollResult[DataForSeoState]:
        """Ask for the next page. Raise `PollFailed`, `MalformedPage` and a `ConnectorError`."""
        passes = self._passes()
        if state.began_at is None or state.turn not in passes:
            upto = {each: instant for each, instant in state.upto.items() if each in passes}
            state = DataForSeoState(upto=upto, began_at=now, turn=next(iter(passes)))
        assert state.turn is not None
        assert state.began_at is not None
        wanted, target = passes[state.turn]
        since = state.since or asked_from(
            state.upto.get(state.turn),
            began_at=state.began_at,
            backfill_s=duration_s(self._options.backfill),
            overlap=OVERLAP,
        )
        try:
            fetched = await self._ask(passes[state.turn], since, state.token)
        except Refused as refused:
            if refused.action is Action.STOP and state.token:  # it may be too old, or of another question
                anew = replace(state, since=state.reached or since, token="")
                return PollResult([], anew, is_complete=False)
            raise
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
        if not page.is_sorted or (page.seen and state.reached and page.seen[0] < state.reached):
            raise PollFailed(
                Action.WAIT, f"DataForSEO's rows are not in the order of {SORTED_BY[wanted]}: nothing is certain"
            )
        reached = max([*page.seen, *([state.reached] if state.reached else [])], default=None)
        if page.next_token and page.rows >= self._rows:
            following = replace(state, since=since, token=page.next_token, reached=reached)
            return PollResult(records, following, is_complete=False)
        after = _next_pass(replace(state, reached=reached), passes)
        return PollResult(records, after, is_complete=after.turn is None)

    @property
    def _address(self) -> str:
        return f"{self._options.server.rstrip('/')}/v3/backlinks/backlinks/live"

    @property
    def _key(self) -> str:
        return self._options.key.read(self._resources.folder)

    @property
    def _rows(self) -> int:
        """How many rows a page has: no more than the whole budget pays for."""
        units = self._options.budget.units
        if units is None:
            return self._options.rows
        rows = min(self._options.rows, (units - self._options.units_per_request) // self._options.units_per_row)
        if rows < ROWS_MIN:
            needed = self._units_of(ROWS_MIN)
            raise BudgetTooSmall(f"A budget of {units:,} units pays for no page: {needed:,} are needed at once.")
        return rows

    def _units_of(self, rows: int) -> int:
        return self._options.units_per_request + rows * self._options.units_per_row

    def _passes(self) -> dict[str, Pass]:
        targets = self._options.targets or own_hosts(self._options.sites, self._resources)
        return passes_over(without_www(target) for target in targets)

    async def _ask(self, asked: Pass, since: datetime, token: str) -> Fetched:
        rows, column = self._rows, SORTED_BY[asked.wanted]
        before = since - timedelta(seconds=1)  # there is no "from then on"
        task = {
            "target": asked.target,
            "mode": "as_is",
            "backlinks_status_type": _STATUS[asked.wanted],
            "include_subdomains": self._options.subdomains,
            "exclude_internal_backlinks": True,
            "rank_scale": "one_hundred",
            "filters": [[column, ">", f"{before:%Y-%m-%d %H:%M:%S} +00:00"]],
            "order_by": [f"{column},asc"],
            "limit": rows,
            **({"search_after_token": token} if token else {}),
        }
        key = self._key
        return await ask(
            self._resources,
            self._address,
            ApiRequest(
                {"Authorization": basic_authorization(key), "Accept": "application/json"}, msgspec.json.encode([task])
            ),
            vendor="DataForSEO",
            secret=key,
            units=self._units_of(rows),
            units_charged=_units_charged,
            read_error=read_error,
        )


def _units_charged(fetched: Fetched) -> int | None:
    """Return the units that an answer cost, as it says itself."""
    usd = usd_charged(fetched.body)
    return None if usd is None else round(usd * UNITS_PER_USD)


def _next_pass(state: DataForSeoState, passes: Mapping[str, Pass]) -> DataForSeoState:
    """Return the position after a pass. An instant that is still to come is a mistake, and does not count."""
    assert state.turn is not None
    assert state.began_at is not None
    known = state.upto
    if state.reached is not None:
        earlier = state.upto.get(state.turn, state.reached)
        known = {**known, state.turn: min(max(earlier, state.reached), state.began_at)}
    following = turn_after(state.turn, passes)
    return DataForSeoState(upto=known, began_at=state.began_at if following else None, turn=following)


KIND: Final = ConnectorKind(
    options=DataForSeoOptions,
    state=DataForSeoState,
    open=DataForSeo,
    about="Backlinks that DataForSEO found and lost, by its API v3.",
    unseen="links that DataForSEO's crawler has not seen, and of each page more than one of its links to a target",
)
