"""The connector: for each target, a walk over all links. Moz can neither be asked for new ones, nor sorts by date."""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from flatline.schema.limits import Url
from flatline.schema.rejection import Rejected
from flatline_connectors.fetching.exchange import ApiRequest
from flatline_connectors.fetching.outcomes import Action, Fetched
from flatline_connectors.moz.answers import FORMAT, read_error, read_page
from flatline_connectors.runtime.config import ConnectorOptions, Duration, Secret
from flatline_connectors.runtime.connector import ConnectorKind, PollFailed, PollResult, Resources
from flatline_connectors.runtime.cost import RunCost
from flatline_connectors.runtime.own_sites import own_hosts
from flatline_connectors.vendors.passes import turn_after
from flatline_connectors.vendors.records import records_of, refused_as_a_whole
from flatline_connectors.vendors.requests import Refused, ask, basic_authorization

ROWS_MAX: Final = 50

Scope = Literal["page", "subdomain", "root_domain"]


class MozOptions(ConnectorOptions, frozen=True, kw_only=True, tag="moz"):
    """Whose links are asked for, and how many at a time."""

    key: Annotated[Secret, Meta(description="An API token, or ACCESS_ID:SECRET_KEY of an older account")]
    every: Annotated[Duration, Meta(description="How often it runs, give or take a tenth")] = "7d"
    targets: Annotated[tuple[str, ...], Meta(description="Domains or addresses; else your sites")] = ()
    scope: Annotated[Scope, Meta(description="What of a target counts, in Moz's words")] = "root_domain"
    rows: Annotated[int, Meta(ge=1, le=ROWS_MAX, description="Rows a request")] = ROWS_MAX
    server: Annotated[Url, Meta(description="Where the API is")] = "https://lsapi.seomoz.com"


class MozState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a walk is.

    ``turn``      the target whose links are read; None: no run is under way
    ``began_at``  when its first page was asked for
    ``token``     what its next page is asked for with; empty: its first
    ``digest``    that of the last page
    """

    version: Literal[1] = 1
    turn: str | None = None
    began_at: datetime | None = None
    token: str = ""
    digest: str = ""


class Moz:
    """One poll asks for one page."""

    def __init__(self, options: MozOptions, resources: Resources) -> None:
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
                "A unit is a row of your quota at Moz. Each run reads, and pays for, all links that Moz knows of: "
                f"10,000 links are {-(-10_000 // self._rows):,} requests and 10,000 units, every {self._options.every}."
            ),
        )

    async def poll(self, state: MozState, now: datetime) -> PollResult[MozState]:
        """Ask for the next page. Raise `PollFailed`, `MalformedPage` and a `ConnectorError`."""
        targets = self._targets()
        if state.turn not in targets:
            state = MozState(turn=targets[0])
        state = state if state.token else replace(state, began_at=now)
        assert state.turn is not None
        try:
            fetched = await self._ask(state.turn, state.token)
        except Refused as refused:
            if refused.action is Action.STOP and state.token:
                anew = MozState(turn=state.turn, began_at=now)  # the token may be too old
                return PollResult([], anew, is_complete=False)
            raise
        origin = {"url": self._address, "target": state.turn}
        with refused_as_a_whole(fetched.body, self._key, origin):
            page = read_page(fetched.body)
            records = records_of(
                fetched.body,
                FORMAT,
                rows=page.rows,
                pulled_at=now,
                history_before=None,
                is_ours=self._resources.is_ours,
                origin=origin,
            )
        if page.digest and page.digest == state.digest:
            raise PollFailed(Action.WAIT, "Moz shows the same page again: there is no end")
        if page.next_token:
            following_page = replace(state, token=page.next_token, digest=page.digest)
            return PollResult(records, following_page, is_complete=False)
        following = turn_after(state.turn, targets)
        return PollResult(records, MozState(turn=following), is_complete=following is None)

    @property
    def _address(self) -> str:
        return f"{self._options.server.rstrip('/')}/v2/links"

    @property
    def _key(self) -> str:
        return self._options.key.read(self._resources.folder)

    @property
    def _rows(self) -> int:
        """How many rows a page has: no more than the whole budget pays for."""
        return min(self._options.rows, self._options.budget.units or self._options.rows)

    def _targets(self) -> list[str]:
        return sorted({*(self._options.targets or own_hosts(self._options.sites, self._resources))})

    async def _ask(self, target: str, token: str) -> Fetched:
        query = {
            "target": target,
            "target_scope": self._options.scope,
            "filter": "external",
            "limit": self._rows,
            **({"next_token": token} if token else {}),
        }
        key = self._key
        return await ask(
            self._resources,
            self._address,
            ApiRequest({**_authentication(key), "Accept": "application/json"}, msgspec.json.encode(query)),
            vendor="Moz",
            secret=key,
            units=self._rows,
            units_charged=_units_charged,
            read_error=read_error,
        )


def _authentication(key: str) -> dict[str, str]:
    return {"Authorization": basic_authorization(key)} if ":" in key else {"x-moz-token": key}


def _units_charged(fetched: Fetched) -> int | None:
    """Return what the rows of an answer cost; None where it has none: then nobody knows."""
    try:
        return read_page(fetched.body).rows
    except Rejected:
        return None


KIND: Final = ConnectorKind(
    options=MozOptions,
    state=MozState,
    open=Moz,
    about="Backlinks that Moz knows of, by its Links API v2.",
    unseen="links that Moz's crawler has not seen, which links are new on a page, and why a link was lost",
)
