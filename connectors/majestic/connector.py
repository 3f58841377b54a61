"""The connector: for each target, a walk over all links. Majestic neither sorts by date nor shows only new ones."""

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
from flatline_connectors.majestic.answers import FORMAT, read_error, read_page
from flatline_connectors.runtime.config import ConnectorOptions, Duration, Secret
from flatline_connectors.runtime.connector import ConnectorKind, PollFailed, PollResult, Resources
from flatline_connectors.runtime.cost import RunCost
from flatline_connectors.runtime.own_sites import own_hosts
from flatline_connectors.vendors.passes import turn_after, without_www
from flatline_connectors.vendors.records import history_before, records_of, refused_as_a_whole
from flatline_connectors.vendors.requests import ask

OVERLAP: Final = timedelta(days=14)
"""Links reach the index some time after they were seen: so long they still count as new."""
ROWS_MAX: Final = 50_000
ANALYSIS_UNITS: Final = 5_000
"""What a request costs of the other kind of units, whatever it finds."""

Index = Literal["fresh", "historic"]


class MajesticOptions(ConnectorOptions, frozen=True, kw_only=True, tag="majestic"):
    """Whose links are asked for, and how many at a time."""

    key: Annotated[Secret, Meta(description="An API key")]
    every: Annotated[Duration, Meta(description="How often it runs, give or take a tenth")] = "7d"
    targets: Annotated[tuple[str, ...], Meta(description="Domains or addresses; else your sites")] = ()
    index: Annotated[Index, Meta(description="Which index is asked")] = "fresh"
    rows: Annotated[int, Meta(ge=1, le=ROWS_MAX, description="Rows a request")] = 1_000
    server: Annotated[Url, Meta(description="Where the API is")] = "https://api.majestic.com"


class MajesticState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a walk is.

    ``upto``      by target, when its last complete walk began
    ``turn``      the target whose links are read; None: no run is under way
    ``began_at``  when its walk began
    ``offset``    its next row
    ``digest``    that of the last page
    """

    version: Literal[1] = 1
    upto: dict[str, datetime] = {}
    turn: str | None = None
    began_at: datetime | None = None
    offset: int = 0
    digest: str = ""


class Majestic:
    """One poll asks for one page."""

    def __init__(self, options: MajesticOptions, resources: Resources) -> None:
        self._options = options
        self._resources = resources

    def cost_of_run(self) -> RunCost:
        """Return what a run costs at least: a page for each target."""
        targets = len(self._targets())
        return RunCost(
            requests=targets,
            links_per_request=self._rows,
            units=targets * self._rows,
            units_per_link=1,
            remark=(
                "A unit is a retrieval unit, which is a row. A request costs "
                f"{ANALYSIS_UNITS:,} analysis units besides: limit them by requests in the budget. Each run reads, and "
                f"pays for, all links that Majestic knows of: 10,000 links are {-(-10_000 // self._rows):,} requests "
                f"and 10,000 units, every {self._options.every}."
            ),
        )

    async def poll(self, state: MajesticState, now: datetime) -> PollResult[MajesticState]:
        """Ask for the next page. Raise `PollFailed`, `MalformedPage` and a `ConnectorError`."""
        targets = self._targets()
        if state.turn not in targets:
            upto = {each: instant for each, instant in state.upto.items() if each in targets}
            state = MajesticState(upto=upto, turn=targets[0])
        if state.began_at is None:
            state = replace(state, began_at=now)
        assert state.turn is not None
        assert state.began_at is not None
        fetched = await self._ask(state.turn, state.offset)
        origin = {"url": self._address, "target": state.turn}
        with refused_as_a_whole(fetched.body, self._key, origin):
            page = read_page(fetched.body)
            known = state.upto.get(state.turn)
            records = records_of(
                fetched.body,
                FORMAT,
                rows=page.rows,
                pulled_at=now,
                history_before=history_before(known, began_at=state.began_at, overlap=OVERLAP),
                is_ours=self._resources.is_ours,
                origin=origin,
            )
        if page.digest and page.digest == state.digest:
            raise PollFailed(Action.WAIT, f"Majestic shows the rows before {state.offset:,} again: there is no end")
        reached = state.offset + page.rows
        is_end = page.rows < self._rows if page.total is None else reached >= page.total
        if page.rows and not is_end:
            return PollResult(records, replace(state, offset=reached, digest=page.digest), is_complete=False)
        following = turn_after(state.turn, targets)
        after = MajesticState(upto={**state.upto, state.turn: state.began_at}, turn=following)
        return PollResult(records, after, is_complete=following is None)

    @property
    def _address(self) -> str:
        return f"{self._options.server.rstrip('/')}/api/json"

    @property
    def _key(self) -> str:
        return self._options.key.read(self._resources.folder)

    @property
    def _rows(self) -> int:
        """How many rows a page has: no more than the whole budget pays for."""
        return min(self._options.rows, self._options.budget.units or self._options.rows)

    def _targets(self) -> list[str]:
        targets = self._options.targets or own_hosts(self._options.sites, self._resources)
        return sorted({without_www(target) for target in targets})

    async def _ask(self, target: str, offset: int) -> Fetched:
        key = self._key
        query = {
            "app_api_key": key,
            "cmd": "GetBackLinkData",
            "item": target,
            "Count": str(self._rows),
            "From": str(offset),
            "Mode": "0",  # deleted ones, too
            "datasource": self._options.index,
        }
        return await ask(
            self._resources,
            f"{self._address}?{urlencode(query)}",
            ApiRequest({"Accept": "application/json"}),
            vendor="Majestic",
            secret=key,
            units=self._rows,
            units_charged=_units_charged,
            read_error=read_error,
        )


def _units_charged(fetched: Fetched) -> int | None:
    """Return what an answer cost, as it says itself, or else its rows; None where it has none: then nobody knows."""
    try:
        page = read_page(fetched.body)
    except Rejected:
        return 0 if read_error(fetched.body) else None
    return page.rows if page.charged is None else page.charged


KIND: Final = ConnectorKind(
    options=MajesticOptions,
    state=MajesticState,
    open=Majestic,
    about="Backlinks that Majestic knows of, by its API.",
    unseen="links that Majestic's crawler has not seen, which links are new on a page, and why a link was lost",
)
