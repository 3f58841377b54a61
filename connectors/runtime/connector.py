"""The face of a connector: what it is asked, what it answers, and what the runtime lends it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Generic, Literal, NamedTuple, Protocol, TypeVar

import msgspec

from flatline.domain.sites import Sites
from flatline.schema import codec
from flatline.schema.article_record import ArticleRecord
from flatline.schema.connector_record import BudgetUnit
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Rejected
from flatline_connectors.fetching.connections import Connection
from flatline_connectors.fetching.exchange import ApiRequest
from flatline_connectors.fetching.fetcher import HTML, PAGE_BYTES_MAX
from flatline_connectors.fetching.outcomes import Action, Fetched, Validators
from flatline_connectors.own_site.registering import NOTHING_REGISTERED, Registry
from flatline_connectors.runtime.config import ConnectorOptions
from flatline_connectors.runtime.own_api import ApiAnswer, ask_own_api

S = TypeVar("S", bound=msgspec.Struct)
O = TypeVar("O", bound=ConnectorOptions)  # noqa: E741 - options

RecordType = Literal["link", "article", "visits"]
Origin = Mapping[str, str | int]

_NOWHERE: Final[Origin] = {}

LETTER_BYTES: Final = 4_096
"""How much of a malformed page its dead letter has."""


class FoundRecord(NamedTuple):
    """A record for Kafka, as JSON. ``origin`` says where it was found (``url``, ``file``, ``line``, …)."""

    type: RecordType
    value: bytes
    origin: Origin = _NOWHERE


class UnreadableRecord(NamedTuple):
    """What can't become a record: it goes to the dead-letter topic with its reason."""

    value: bytes
    rejected: Rejected
    origin: Origin = _NOWHERE


def found_link(event: LinkEvent, **origin: str | int) -> FoundRecord:
    """Return a link event as a found record."""
    return FoundRecord("link", codec.links.encode(event), origin)


def found_article(record: ArticleRecord, **origin: str | int) -> FoundRecord:
    """Return an article record as a found record."""
    return FoundRecord("article", codec.articles.encode(record), origin)


class Gap(NamedTuple):
    """A time of which nothing was seen, and nothing will be: the other side does not keep it so long."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class PollResult(Generic[S]):
    """What one poll found.

    ``records``      read once, on a thread: it may be lazy, and may block. What it raises counts as raised by the poll
    ``state``        the position after these records; it is saved when Kafka has acknowledged all of them
    ``is_complete``  whether nothing more is there now; else `Connector.poll` is called again at once
    ``seen_until``   everything up to then has been seen: becomes a heartbeat. None: nothing can be claimed
    ``seen_from``    nothing is claimed of the time before. None: everything before was seen, too
    ``gap``          what was found out to be missed. It is logged and counted
    """

    records: Iterable[FoundRecord | UnreadableRecord]
    state: S
    is_complete: bool
    seen_until: datetime | None = None
    seen_from: datetime | None = None
    gap: Gap | None = None


class Connector(Protocol[S]):
    """Reads one account, folder or site. It holds no position: that is the state, which the runtime keeps."""

    async def poll(self, state: S, now: datetime) -> PollResult[S]:
        """Return what comes after ``state``. Raise `PollFailed`, or an error of runtime/outcomes.py.

        The same state must give the same records again, or more: a poll is repeated after any crash.
        """


class PollFailed(Exception):
    """A poll came to nothing.

    ``action``         RETRY: soon; WAIT: ``retry_after_s``, or else until the next run is due; SKIP: see
                       `MalformedPage`; STOP: until somebody mends it and starts the process again
    ``detail``         for people: no secret, no token, no query of an address
    """

    def __init__(self, action: Action, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.action = action
        self.detail = detail
        self.retry_after_s = retry_after_s


class MalformedPage(PollFailed):
    """A page that can't be read. It becomes a dead letter; ``state`` is where to go on (None: at the next run)."""

    def __init__(
        self, value: bytes, rejected: Rejected, *, origin: Origin = _NOWHERE, state: msgspec.Struct | None = None
    ) -> None:
        super().__init__(Action.SKIP, rejected.detail)
        self.letter = UnreadableRecord(value, rejected, origin)
        self.state = state


def usable(fetched: Fetched) -> Fetched:
    """Return a fetch that brought a page, or a 304. Raise `PollFailed` for any other, with what it asks for."""
    if fetched.outcome.action is Action.USE:
        return fetched
    said = f", HTTP status {fetched.status}" if fetched.status else ""
    host = "/".join(fetched.url.split("/")[:3])
    raise PollFailed(fetched.outcome.action, f"{host}: {fetched.outcome}{said}", retry_after_s=fetched.retry_after_s)


class Fetching(Protocol):
    """The guarded fetcher, as far as connectors use it. Each fetch spends one of the budget's requests."""

    async def fetch(
        self,
        url: str,
        *,
        accepted: frozenset[str] = HTML,
        bytes_max: int = PAGE_BYTES_MAX,
        validators: Validators | None = None,
        is_api: bool = False,
        request: ApiRequest | None = None,
    ) -> Fetched:
        """As `flatline_connectors.fetching.fetcher.Fetcher.fetch`. Raise `BudgetExhausted`."""

    def events(self, url: str, *, last_event_id: str = "") -> AbstractAsyncContextManager[Connection]:
        """As `flatline_connectors.fetching.fetcher.Fetcher.events`. Raise `BudgetExhausted`."""

    def socket(self, url: str) -> AbstractAsyncContextManager[Connection]:
        """As `flatline_connectors.fetching.fetcher.Fetcher.socket`. Raise `BudgetExhausted`."""

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """As `flatline_connectors.fetching.fetcher.Fetcher.sitemaps`."""


class Spend(Protocol):
    """Spends of the budget, before it is used: ``await spend("requests")``. Raise `BudgetExhausted`."""

    def __call__(self, unit: BudgetUnit, amount: int = 1, /) -> Awaitable[None]:
        """Return when Kafka knows that it is spent, so that a crash spends nothing twice.

        A negative amount gives back what was spent for a request that cost less.
        """


async def nothing_spent(_unit: BudgetUnit, _amount: int = 1, /) -> None:
    """Spend nothing: there is no budget."""


class OwnApi(Protocol):
    """Asks the API of this installation."""

    def __call__(self, url: str, /, *, token: str | None) -> Awaitable[ApiAnswer]:
        """Return the answer to a GET. Raise OSError where nothing answers."""


async def _nothing_registered() -> Registry:
    return NOTHING_REGISTERED


@dataclass(frozen=True)
class Resources:
    """What the runtime lends a connector.

    ``is_ours``       whether an address is on a site of ours: those of the section's ``sites``, or else of all own
                      site records. None: there are neither
    ``sites``         all site records that are known; they may change
    ``registry``      reads which articles are registered, and which were removed
    ``own_api``       asks the API of `flatline serve`
    ``spend``         spends a vendor's units. The fetcher spends requests, and the runtime rows
    ``folder``        the folder of the configuration file: relative paths in the options start there
    ``work_folder``   a folder of the connector's own, for clones and the like. It may be empty at any start
    """

    fetcher: Fetching
    is_ours: Callable[[str], bool] | None
    folder: Path
    work_folder: Path
    sites: Sites = field(default_factory=Sites)
    registry: Callable[[], Awaitable[Registry]] = _nothing_registered
    own_api: OwnApi = ask_own_api
    spend: Spend = nothing_spent


@dataclass(frozen=True)
class ConnectorKind(Generic[O, S]):
    """A kind of connector, as it is registered in runtime/registry.py.

    ``options``  a section of connectors.toml: a subclass of `ConnectorOptions` whose tag is the kind's name
    ``state``    its position: typed, with a field ``version``, and a default for each field: ``state()`` is the start
    ``open``     makes the connector. It neither connects nor blocks
    ``parts``    a field of the state, a mapping. Each of its values is kept in a record of its own, so that the state
                 may be larger than a record, and a poll saves only what it changed. Each value has to fit into a record
    ``unseen``   what it can't know of, in words for people; empty: there is nothing of the kind
    """

    options: type[O]
    state: type[S]
    open: Callable[[O, Resources], Connector[S]]
    about: str
    parts: str | None = None
    unseen: str = ""

    @property
    def name(self) -> str:
        """The word in connectors.toml."""
        return str(self.options.__struct_config__.tag)
