"""The Faust table behind the articles: partitions in memory, recovered from the changelog in micro-batches."""

import logging
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

from faust.stores import memory
from faust.tables.table import Table
from faust.types import TP

from streams.engine.partition import Partition

EXIT_SOFTWARE: Final = 70

log = logging.getLogger("flatline.engine")


def die(why: str) -> None:
    """End the process at once. Faust would ack what it was working on, and commit on the way out."""
    log.critical("%s; ending this worker", why, exc_info=sys.exception())
    logging.shutdown()
    os._exit(EXIT_SOFTWARE)


class ArticleStore(memory.Store[Any, Any]):
    """Partition number → `Partition`. Faust's own mapping interface is not used.

    ``recovered``   the partitions whose state is whole and ours; empty from a rebalance to the end of recovery
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.partitions: dict[int, Partition] = {}
        self.recovered: frozenset[int] = frozenset()
        self._unchanged: set[int] = set()  # kept over a rebalance, and nobody else wrote to them
        self.on_recovered: Callable[[frozenset[int]], None] = lambda _newly_recovered: None
        self.on_lost: Callable[[], None] = lambda: None

    def persisted_offset(self, tp: TP) -> int:
        """Return the changelog offset up to which a partition kept over a rebalance is known; -1 reads all of it.

        Recovery then reads what came after: nothing, unless another worker owned the partition in between.
        """
        partition = self.partitions.get(tp.partition)
        # Never None: then Faust would go on from where an earlier recovery ended.
        return -1 if partition is None or partition.changelog_offset is None else partition.changelog_offset

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: Any, to_value: Any) -> None:
        """Restore micro-batches of changelog records. Faust swallows what is raised here, so nothing is."""
        try:
            for event in batch:
                number = event.message.partition
                partition = self.partitions.setdefault(number, Partition())
                for record in event.value:
                    partition.restore(record.key, record.value)
                partition.changelog_offset = event.message.offset
                self._unchanged.discard(number)
        except Exception:  # noqa: BLE001
            die("a changelog record can't be restored")

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Forget partitions that are another worker's now; own none until recovery has ended."""
        self.recovered = frozenset()
        self.on_lost()
        changelog = self.table.changelog_topic.get_topic_name()
        owned = {tp.partition for tp in assigned if tp.topic == changelog}
        # A partition without a changelog offset is empty, or not known to be what the changelog says: read it again.
        self.partitions = {
            number: partition
            for number, partition in self.partitions.items()
            if number in owned and partition.changelog_offset is not None
        }
        self._unchanged &= self.partitions.keys()

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Note that the state of these partitions is whole, if it is: Faust says so of an interrupted recovery, too."""
        if not self._is_recovery_complete(active_tps):
            return
        owned = frozenset(tp.partition for tp in active_tps)
        for number in owned:
            self.partitions.setdefault(number, Partition())
        newly_recovered = owned - self._unchanged
        self._unchanged = set(owned)
        self.recovered = owned
        self.on_recovered(newly_recovered)

    def _is_recovery_complete(self, active_tps: set[TP]) -> bool:
        recovery = cast(Any, self.app).tables.recovery
        is_current = recovery._generation_id == self.app.consumer_generation_id  # noqa: SLF001
        is_interrupted = recovery.signal_recovery_start.is_set() or active_tps != recovery.active_tps
        is_measured = active_tps <= recovery.active_highwaters.keys()
        return is_current and not is_interrupted and is_measured and not recovery.need_recovery()

    def _clear(self) -> None:
        self.partitions.clear()
        self.recovered = frozenset()
        self._unchanged.clear()


class ArticleTable(Table[Any, Any]):
    """A table kept in an `ArticleStore`."""

    def _new_store(self) -> ArticleStore:
        return ArticleStore(
            "memory://",
            self.app,
            self,
            table_name=self.name,
            key_type=self.key_type,
            value_type=self.value_type,
            loop=self.loop,
        )
