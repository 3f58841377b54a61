"""No offset is committed before all that its records led to is durable.

A commit is, for each partition: let the agents settle what changed; take everything at one instant; write what belongs
elsewhere and wait for the acknowledgement; write verdicts, dead letters and changelog in one transaction; only then
commit the offsets that were applied at that instant. A crash in between brings the records again, and applying them
again changes nothing.
"""

import asyncio
from collections.abc import Callable, Iterable
from time import monotonic, time
from typing import Any

from aiokafka.errors import KafkaError

from streams.engine.batch_writer import write
from streams.engine.ending import die
from streams.engine.log import Outgoing
from streams.engine.ownership import Owned, Ownership
from streams.engine.partition import Partition

Settle = Callable[[int, Partition], Iterable[Outgoing]]


class CommitGuard:
    """Makes durable what was applied."""

    def __init__(self, ownership: Ownership, settle: Settle) -> None:
        self._ownership = ownership
        self._settle = settle
        self._writing = asyncio.Lock()
        self._flushed_at_s = monotonic()
        self.last_durable_s: float | None = None  # wall clock
        self.on_flushed: Callable[[float], None] = lambda _seconds: None

    @property
    def since_flush_s(self) -> float:
        """How long ago the last flush ended."""
        return monotonic() - self._flushed_at_s

    async def flush(self, forwarder: Any) -> None:
        """Make what was applied durable. A write that fails ends the process: nothing was committed.

        ``forwarder`` is an aiokafka producer for records that belong on other partitions: no transaction holds them, as
        writing them twice does no harm, and the marks of transactions would look like records that wait.
        """
        # Shielded: a commit that is cancelled half-way must not let the next one believe that all was written.
        await asyncio.shield(asyncio.ensure_future(self._flush(forwarder)))

    async def _flush(self, forwarder: Any) -> None:
        async with self._writing:
            began_s = monotonic()
            await asyncio.gather(
                *(self._flush_partition(number, owned, forwarder) for number, owned in self._ownership.owned.items())
            )
            self.last_durable_s, self._flushed_at_s = time(), monotonic()
            self.on_flushed(self._flushed_at_s - began_s)

    async def _flush_partition(self, number: int, owned: Owned, forwarder: Any) -> None:
        try:
            partition = owned.partition
            outgoing = [*self._settle(number, partition), *partition.dead_letters]
            forwarded, changes, covered = partition.forwarded, partition.take_changes(), dict(partition.next_offsets)
            partition.dead_letters, partition.forwarded = [], []
            if forwarded:
                await write(forwarder, forwarded)
            if outgoing or changes:
                await owned.writer.commit(outgoing, changes)
            owned.durable.update(covered)
        except KafkaError:
            # What was taken to be written is gone from memory: Faust must not commit on its way out.
            die("what a commit has to write first could not be written")
        except Exception:  # noqa: BLE001
            die("a commit failed")
