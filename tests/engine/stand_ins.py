"""Stand-ins for the log: what was written is kept in lists, and each step can be held up or fail."""

import asyncio
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from flatline.engine.log import FencedError, Fetched, Offset, Outgoing, Refused
from flatline.engine.task import Task


class EndedError(Exception):
    """Instead of the end of the process."""


class Ending:
    """Ends a worker in a test: keeps the reason, and what was being handled."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.reason = ""
        self.cause: BaseException | None = None

    def __call__(self, why: str) -> NoReturn:
        """End it."""
        self.reason, self.cause = why, sys.exception()
        self.ended.set()
        raise EndedError(why)


@dataclass
class Held:
    """A step that waits until it is let go, or fails. ``reached`` is set when somebody is at it."""

    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    error: BaseException | None = None

    def __post_init__(self) -> None:
        self.is_open.set()

    def close(self) -> None:
        """Hold up whoever comes."""
        self.is_open.clear()
        self.reached.clear()

    async def passed(self) -> None:
        """Wait until it is let go."""
        self.reached.set()
        await self.is_open.wait()
        if self.error is not None:
            raise self.error


class StandInChangelog:
    """A changelog whose records, offsets and writers are there to be looked at."""

    topic = "changelog"

    def __init__(self, state: Mapping[bytes, bytes] | None = None) -> None:
        self.records: dict[int, list[tuple[bytes, bytes | None]]] = {0: list((state or {}).items())}
        self.written: list[Outgoing] = []
        self.offsets: dict[tuple[str, int], Offset] = {}
        self.fenced: list[int] = []
        self.closed: list[int] = []
        self.fence_held, self.restore_held, self.commit_held = Held(), Held(), Held()
        self.newest: dict[int, StandInWriter] = {}

    async def fence(self, partition: int) -> "StandInWriter":
        """Become the writer; like Kafka's, it doesn't leave a request behind when it is cancelled."""
        self.fenced.append(partition)
        await self.fence_held.passed()
        writer = self.newest[partition] = StandInWriter(self, partition)
        return writer

    async def restore(self, partition: int, apply: Callable[[bytes, bytes | None], None]) -> None:
        """Apply what is there."""
        await self.restore_held.passed()
        for key, value in self.records.get(partition, []):
            apply(key, value)

    def state(self, partition: int = 0) -> dict[bytes, bytes | None]:
        """Return it compacted."""
        return dict(self.records.get(partition, []))


class StandInWriter:
    """The right to write a partition of a `StandInChangelog`."""

    def __init__(self, changelog: StandInChangelog, partition: int) -> None:
        self._changelog = changelog
        self._partition = partition
        self.is_closed = False

    async def commit(self, records: Iterable[Outgoing], offsets: Mapping[str, Offset]) -> None:
        """Write all or nothing, as long as nobody else has become the writer."""
        written = list(records)
        await self._changelog.commit_held.passed()
        assert not self.is_closed, "closed while it was committing"
        if self._changelog.newest[self._partition] is not self:
            raise FencedError
        for record in written:
            if record.topic == self._changelog.topic:
                assert record.partition == self._partition
                assert record.key is not None
                self._changelog.records.setdefault(self._partition, []).append((record.key, record.value))
            else:
                self._changelog.written.append(record)
        self._changelog.offsets |= {(topic, self._partition): offset for topic, offset in offsets.items()}

    async def close(self) -> None:
        """Note it."""
        self.is_closed = True
        self._changelog.closed.append(self._partition)


class StandInForwarder:
    """Keeps what is forwarded."""

    def __init__(self) -> None:
        self.forwarded: list[Outgoing] = []

    async def forward(self, records: Iterable[Outgoing]) -> list[Refused]:
        """Keep it."""
        self.forwarded += records
        return []


class StandInConsumer:
    """Says how far partitions are fetched."""

    def __init__(self) -> None:
        self.at: dict[tuple[str, int], Fetched] = {}

    def fetched(self, topic: str, partition: int) -> Fetched:
        """Return what a test set."""
        return self.at.get((topic, partition), Fetched(None, None))


def running_task(changelog: StandInChangelog | None = None, number: int = 0) -> Task:
    """Return a task that has restored what a changelog holds; without one, nothing. It can't commit."""
    task = Task(number, changelog or StandInChangelog())
    for key, value in changelog.records.get(number, []) if changelog else ():
        task.articles.restore(key, value)
    task.begin()
    return task
