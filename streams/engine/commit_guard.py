"""No offset is committed before all that its records led to is durable.

A commit is: let the agents settle what changed; take everything at one instant; write what leaves us (verdicts, dead
letters, forwarded records) and wait for the acknowledgement; write the changelog and wait; only then commit the offsets
that were applied at that instant. A crash in between brings the records again, and applying them again changes nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from time import monotonic, time
from typing import Any

from faust.types import TP

from streams.engine.batch_writer import Outgoing, write
from streams.engine.partition import Partition
from streams.engine.store import ArticleStore, die

log = logging.getLogger("flatline.engine")

Settle = Callable[[int, Partition], Iterable[Outgoing]]


class CommitGuard:
    """Knows what was applied, what is durable, and makes the one into the other."""

    def __init__(self, *, changelog_topic: str, store: ArticleStore, settle: Settle) -> None:
        self._changelog_topic = changelog_topic
        self._store = store
        self._settle = settle
        self._outbox: list[Outgoing] = []
        self._applied: dict[TP, int] = {}
        self._durable: dict[TP, int] = {}
        self._owns = False
        self._writing = asyncio.Lock()
        self.last_durable_s: float | None = None  # wall clock
        self.on_flushed: Callable[[float], None] = lambda _seconds: None

    def send(self, outgoing: Outgoing) -> None:
        """Have a record written with the next commit, before its offsets."""
        self._outbox.append(outgoing)

    def applied(self, tp: TP, next_offset: int) -> None:
        """Note that everything of a partition before ``next_offset`` was applied."""
        self._applied[tp] = next_offset

    def position(self, tp: TP) -> int | None:
        """Return the offset after the last applied record, if any was since the partition was assigned."""
        return self._applied.get(tp)

    def durable(self, tp: TP) -> int | None:
        """Return the offset that may be committed."""
        return self._durable.get(tp)

    @property
    def durable_partitions(self) -> list[TP]:
        """The source partitions that have one."""
        return list(self._durable)

    def gain(self) -> None:
        """Note that the state of the assigned partitions is whole, and ours."""
        self._owns = True

    def lose(self) -> None:
        """Note that no partition is ours any more; write nothing until `gain`."""
        self._owns = False
        self._applied.clear()
        self._durable.clear()
        self._outbox.clear()

    async def flush(self, producer: Any, *, is_member: Callable[[], bool]) -> None:
        """Make what was applied durable. A write that fails ends the process: nothing was committed.

        ``is_member`` tells whether the group still knows this worker: one that was paused past its session must not
        overwrite what the next owner wrote.
        """
        # Shielded: a commit that is cancelled half-way must not let the next one believe that all was written.
        await asyncio.shield(asyncio.ensure_future(self._flush(producer, is_member)))

    async def _flush(self, producer: Any, is_member: Callable[[], bool]) -> None:
        async with self._writing:
            if not self._owns or not is_member():
                return
            try:
                await self._write(producer, is_member)
            except Exception:  # noqa: BLE001
                # What was taken to be written is gone from memory: Faust must not commit on its way out.
                die("what a commit has to write first could not be written")

    async def _write(self, producer: Any, is_member: Callable[[], bool]) -> None:
        began_s = monotonic()
        outbox, self._outbox = self._outbox, []
        changes: list[Outgoing] = []
        partitions = {number: self._store.partitions[number] for number in self._store.recovered}
        for number, partition in partitions.items():
            outbox.extend(self._settle(number, partition))
            changes.extend(Outgoing(self._changelog_topic, number, *change) for change in partition.take_changes())
        covered = dict(self._applied)
        await write(producer, outbox)
        if not is_member():
            log.warning("left the group while writing; the changelog stays as it is")
            for partition in partitions.values():
                partition.changelog_offset = None
            self.lose()
            return
        last_offsets = await write(producer, changes)
        for (_, number), offset in last_offsets.items():
            partitions[number].changelog_offset = offset
        if self._owns:
            self._durable.update(covered)
        self.last_durable_s = time()
        self.on_flushed(monotonic() - began_s)
