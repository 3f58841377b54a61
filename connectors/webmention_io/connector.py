"""The connector: pulls the mentions of an account, the oldest first."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from flatline.schema.limits import Url
from flatline.schema.rejection import Rejected
from flatline_connectors.fetching.outcomes import Action, Fetched, Outcome
from flatline_connectors.runtime.config import ConnectorOptions, Host, Secret
from flatline_connectors.runtime.connector import (
    LETTER_BYTES,
    ConnectorKind,
    FoundRecord,
    MalformedPage,
    PollFailed,
    PollResult,
    Resources,
    UnreadableRecord,
    found_link,
    usable,
)
from flatline_connectors.webmention.posts import BRIDGES
from flatline_connectors.webmention_io.mentions import ReadMention, Wanted, children_of, read_mention

PAGE_MENTIONS: Final = 100
OVERLAP: Final = timedelta(days=1)
"""How long a mention may take to be verified: only then it is shown, by the number that it got when it came."""
_JSON: Final = frozenset({"application/json", "application/mf2+json", "text/plain"})
_PAGE_BYTES_MAX: Final = 16 << 20
_WRONG_TOKEN: Final = frozenset({Outcome.DENIED, Outcome.REFUSED})


class WebmentionIoOptions(ConnectorOptions, frozen=True, kw_only=True, tag="webmention-io"):
    """An account."""

    token: Annotated[Secret, Meta(description="The API key that the settings of webmention.io show")]
    domain: Annotated[Host | None, Meta(description="Only mentions of this site of the account")] = None
    private: Annotated[bool, Meta(description="Whether private mentions count")] = False
    proxies: Annotated[tuple[Host, ...], Meta(description="Hosts that stand for pages elsewhere")] = BRIDGES
    server: Annotated[Url, Meta(description="Where the service is")] = "https://webmention.io"


class WebmentionIoState(msgspec.Struct, frozen=True, kw_only=True):
    """How far the mentions were pulled: those after ``since_id`` are asked for.

    ``cursor``    in the middle of a run: the last one of the pages so far
    ``recent``    numbers of those after ``since_id`` that were sent
    ``has_run``   whether a run was completed: what comes later is no history
    """

    version: Literal[1] = 1
    since_id: int = 0
    cursor: int | None = None
    recent: frozenset[int] = frozenset()
    has_run: bool = False


class WebmentionIo:
    """One poll asks for one page."""

    def __init__(self, options: WebmentionIoOptions, resources: Resources) -> None:
        self._options = options
        self._resources = resources
        self._wanted = Wanted(resources.is_ours, options.proxies, is_private=options.private)

    async def poll(self, state: WebmentionIoState, now: datetime) -> PollResult[WebmentionIoState]:
        """Ask for the next page. Raise `PollFailed`."""
        after = state.since_id if state.cursor is None else state.cursor
        page = await self._ask(after)
        try:
            children = children_of(page.body)
        except Rejected as rejected:
            raise MalformedPage(page.body[:LETTER_BYTES], rejected, origin={"url": self._address}) from None
        records: list[FoundRecord | UnreadableRecord] = []
        read: list[ReadMention] = []
        for child in children:
            try:
                mention = read_mention(child, self._wanted, is_history=not state.has_run, now=now)
            except Rejected as rejected:
                records.append(UnreadableRecord(child, rejected, {"url": self._address}))
                continue
            read.append(mention)
            is_new = mention.id > state.since_id and mention.id not in state.recent
            if mention.event is not None and is_new:
                records.append(found_link(mention.event, url=self._address, mention=mention.id))
        is_complete = len(children) < PAGE_MENTIONS
        return PollResult(
            records, _after(state, read, now=now, is_complete=is_complete), is_complete, now if is_complete else None
        )

    @property
    def _address(self) -> str:
        return f"{self._options.server.rstrip('/')}/api/mentions.jf2"

    async def _ask(self, after: int) -> Fetched:
        query = {
            "token": self._options.token.read(self._resources.folder),
            "since_id": str(after),
            "per-page": str(PAGE_MENTIONS),
            "page": "0",
            "sort-dir": "up",
            **({"domain": self._options.domain} if self._options.domain else {}),
        }
        url = f"{self._address}?{urlencode(query)}"
        page = await self._resources.fetcher.fetch(url, accepted=_JSON, bytes_max=_PAGE_BYTES_MAX)
        if page.outcome in _WRONG_TOKEN:
            raise PollFailed(
                Action.STOP, f"{self._options.server} does not accept the token (HTTP status {page.status})"
            )
        return usable(page)


def _after(
    state: WebmentionIoState, read: Sequence[ReadMention], *, now: datetime, is_complete: bool
) -> WebmentionIoState:
    """Return the position after a page. The next run asks again for all that came in the last day."""
    settled = [mention.id for mention in read if mention.received_at <= now - OVERLAP]
    since_id = max([state.since_id, *settled])
    seen = state.recent | {mention.id for mention in read}
    last = max([state.cursor or state.since_id, *(mention.id for mention in read)])
    return WebmentionIoState(
        since_id=since_id,
        cursor=None if is_complete else last,
        recent=frozenset(identifier for identifier in seen if identifier > since_id),
        has_run=state.has_run or is_complete,
    )


KIND: Final = ConnectorKind(
    options=WebmentionIoOptions,
    state=WebmentionIoState,
    open=WebmentionIo,
    about="Webmentions that webmention.io received.",
)
