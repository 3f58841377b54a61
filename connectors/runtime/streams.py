"""The face of a connector that listens to a stream: messages in their order, each with the position after it.

To the runtime it is a connector as any other. A poll takes what comes for a few seconds, so a position is saved when
Kafka has acknowledged all that it covers. A run ends when it has caught up with the present, and with it the connection
ends: each run begins at the saved position, as it would after a crash.
"""

import asyncio
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final, Generic, NamedTuple, TypeVar

import msgspec

from flatline_connectors.fetching.connections import Connection
from flatline_connectors.fetching.outcomes import Action, Failed
from flatline_connectors.fetching.sse import Message
from flatline_connectors.runtime.connector import Gap, PollFailed, PollResult
from flatline_connectors.runtime.outbox import Found

BATCH_S: Final = 5.0
BATCH_MESSAGES: Final = 5_000
QUIET_S: Final = 15.0
"""When nothing comes for so long, nothing more is there."""
CAUGHT_UP: Final = timedelta(seconds=10)
"""How close to the present a message is that ends a run: between it and the present there is always something."""


OUT_OF_ORDER: Final = timedelta(minutes=1)
"""How much later than its time a message may come, after others."""


class _End(Enum):
    """Why a batch ends, except that it is full."""

    PRESENT = auto()
    QUIET = auto()
    CUT_OFF = auto()


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """What the position of each stream has.

    ``at``         the latest time of a message so far; None: none came yet
    ``seen_from``  all messages since then were seen: the stream was first listened to, or came back after a gap
    """

    at: datetime | None = None
    seen_from: datetime | None = None


P = TypeVar("P", bound=Position)


class Taken(NamedTuple, Generic[P]):
    """What one message gives, and the position after it, ``at`` and ``seen_from`` apart. ``at``: the message's time."""

    records: list[Found]
    position: P
    at: datetime | None


@dataclass
class _Listening(Generic[P]):
    """A connection, and the position of what it says next."""

    connection: Connection
    closing: AsyncExitStack
    position: P
    is_first: bool = True


class StreamConnector(ABC, Generic[P]):
    """Listens to a stream. A kind says how to connect, and what a message gives.

    ``gap_min``: a first message so much later than the position means that the server has nothing older any more. It is
    longer than any pause of the stream.
    """

    gap_min: timedelta

    def __init__(self) -> None:
        self._listening: _Listening[P] | None = None

    @abstractmethod
    def connect(self, position: P, now: datetime) -> AbstractAsyncContextManager[Connection]:
        """Connect to what comes after a position. Raise `flatline_connectors.fetching.outcomes.Failed`."""

    @abstractmethod
    def take(self, message: Message, position: P, now: datetime) -> Taken[P]:
        """Return what a message gives. What can't be read becomes a dead letter."""

    async def poll(self, state: P, now: datetime) -> PollResult[P]:
        """Take what comes next: as of `flatline_connectors.runtime.connector.Connector`."""
        try:
            return await self._poll(state, now)
        except BaseException:
            await self.disconnect()
            raise

    async def disconnect(self) -> None:
        """Close the connection: the next poll makes another one."""
        listening, self._listening = self._listening, None
        if listening is not None:
            await listening.closing.aclose()

    async def _poll(self, state: P, now: datetime) -> PollResult[P]:
        listening = await self._listening_from(state, now)
        clock_s = asyncio.get_running_loop().time
        until_s = clock_s() + BATCH_S
        records: list[Found] = []
        gap: Gap | None = None
        end: _End | None = None
        taken = 0
        while end is None and taken < BATCH_MESSAGES and clock_s() < until_s:
            try:
                message = await _next(listening.connection)
            except Failed:
                if not taken:
                    raise
                end = _End.CUT_OFF
                break
            if isinstance(message, _End):
                end = message
                break
            taken += 1
            was = listening.position
            found = self.take(message, was, now)
            records += found.records
            gap = self._moved(listening, found) or gap
            is_new = listening.position != was  # the last message may come once more
            if is_new and found.at is not None and found.at >= now - CAUGHT_UP:
                end = _End.PRESENT
        if end is _End.CUT_OFF and not taken:
            raise PollFailed(Action.RETRY, "the other side ended the connection before it said anything")
        if end is not None:
            await self.disconnect()
        after = listening.position
        is_complete = end in {_End.PRESENT, _End.QUIET}
        return PollResult(
            records, after, is_complete, seen_until=_seen_until(after), seen_from=after.seen_from, gap=gap
        )

    async def _listening_from(self, state: P, now: datetime) -> _Listening[P]:
        if self._listening is not None and self._listening.position == state:
            return self._listening
        await self.disconnect()
        async with AsyncExitStack() as opening:
            connection = await opening.enter_async_context(self.connect(state, now))
            self._listening = _Listening(connection, opening.pop_all(), state)
        return self._listening

    def _moved(self, listening: _Listening[P], found: Taken[P]) -> Gap | None:
        """Move on after a message. Return the gap before it, if there is one."""
        at, was = found.at, listening.position
        gap = None
        if at is not None and listening.is_first:
            listening.is_first = False
            if was.at is not None and at - was.at > self.gap_min:
                gap = Gap(was.at, at)
        seen_from = gap.until if gap else was.seen_from or at
        at = was.at if at is None or (was.at is not None and was.at > at) else at
        listening.position = msgspec.structs.replace(found.position, at=at, seen_from=seen_from)
        return gap


async def _next(connection: Connection) -> Message | _End:
    try:
        async with asyncio.timeout(QUIET_S):
            return await connection.next() or _End.CUT_OFF
    except TimeoutError:
        return _End.QUIET


def _seen_until(position: Position) -> datetime | None:
    """Return what can be claimed: messages may be a little out of order."""
    if position.at is None or position.seen_from is None:
        return None
    settled_at = position.at - OUT_OF_ORDER
    return settled_at if settled_at > position.seen_from else None
