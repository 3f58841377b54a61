"""The Faust table behind the articles: partitions in memory, recovered from the changelog in micro-batches."""

import logging
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final

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
    """Partition number → `Partition`. Faust's own mapping interface is not used."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.partitions: dict[int, Partition] = {}
        self.recovered: frozenset[int] = frozenset()
        self.on_recovered: Callable[[frozenset[int]], None] = lambda _newly_recovered: None

    def persisted_offset(self, tp: TP) -> int | None:
        """Return the changelog offset up to which a partition kept over a rebalance is known.

        Recovery then reads only what came after: nothing, unless another worker owned the partition in between.
        """
        partition = self.partitions.get(tp.partition)
        return None if partition is None else partition.changelog_offset

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: Any, to_value: Any) -> None:
        """Restore micro-batches of changelog records. Faust swallows what is raised here, so nothing is."""
        try:
            for event in batch:
                partition = self.partitions.setdefault(event.message.partition, Partition())
                for record in event.value:
                    partition.restore(record.key, record.value)
                partition.changelog_offset = event.message.offset
        except Exception:  # noqa: BLE001
            die("a changelog record can't be restored")

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Forget partitions that are another worker's now."""
        self._keep(
            frozenset(tp.partition for tp in assigned if tp.topic == self.table.changelog_topic.get_topic_name())
        )

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Note that the state of these partitions is whole."""
        owned = frozenset(tp.partition for tp in active_tps)
        self._keep(owned)
        newly_recovered = owned - self.recovered
        for number in newly_recovered:
            self.partitions.setdefault(number, Partition())
        self.recovered = owned
        self.on_recovered(newly_recovered)

    def _keep(self, owned: frozenset[int]) -> None:
        # A partition without a changelog offset is empty, or not known to be what the changelog says: read it again.
        self.partitions = {
            number: partition
            for number, partition in self.partitions.items()
            if number in owned and partition.changelog_offset is not None
        }
        self.recovered &= self.partitions.keys()

    def _clear(self) -> None:
        self.partitions.clear()
        self.recovered = frozenset()


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
