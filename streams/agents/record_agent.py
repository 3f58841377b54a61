"""Base class of agents: records that can't be read become dead letters, those of other partitions are forwarded."""

import logging
from abc import ABC, abstractmethod
from typing import Final

from flatline.engine.batch_writer import batch_bytes_max
from flatline.engine.log import Forwarded, MicroBatch, Outgoing, Record, Refused
from flatline.engine.partition import Partition
from flatline.kafka.skipped_batch import SkippedBatch
from flatline.metrics import WorkerMetrics
from flatline.schema.dead_letter import dead_letter
from flatline.schema.partitioning import partition_of
from flatline.schema.rejection import Reason, Rejected
from flatline.schema.topics import MESSAGE_BYTES_MAX, Topics

log = logging.getLogger("flatline.agents")


class RecordAgent(ABC):
    """Takes micro-batches of records of one topic."""

    def __init__(self, *, topics: Topics, metrics: WorkerMetrics) -> None:
        self._topics = topics
        self._metrics = metrics
        self._logged: tuple[MicroBatch | None, set[Reason]] = (None, set())

    @abstractmethod
    def apply(self, batch: MicroBatch, partition: Partition, *, now_ms: int) -> None:
        """Take every record: into its article, to the dead letters, or on to the partition where it belongs."""

    def _belongs_elsewhere(self, key: bytes, batch: MicroBatch) -> bool:
        """Whether records with this article key belong on another partition: their producer hashed other bytes."""
        return partition_of(key, self._topics.links.partitions) != batch.partition

    def _send_on(self, key: bytes, record: Record, batch: MicroBatch, partition: Partition) -> None:
        """Send a record to where it belongs: rightly keyed, its time, value and headers untouched.

        With its key, or out of a compressed batch, it can be too large for its topic: then it is a dead letter, like
        all that the broker refuses.
        """
        target = partition_of(key, self._topics.links.partitions)
        forwarded = Outgoing(batch.topic, target, key, record.value, record.timestamp, record.headers)
        size = batch_bytes_max(forwarded)
        if size > MESSAGE_BYTES_MAX:
            detail = f"sent on with the key of its article it would have {size} bytes; the limit is {MESSAGE_BYTES_MAX}"
            self._reject(Rejected(Reason.TOO_LONG, detail), record, batch, partition)
            return
        self._forward(forwarded, record, batch, partition)
        self._metrics.forwarded.labels(batch.topic).inc()

    def _forward(self, outgoing: Outgoing, record: Record, batch: MicroBatch, partition: Partition) -> None:
        """Have a record written that another one led to, which is a dead letter where the broker refuses it."""

        def instead(refused: Refused) -> Outgoing:
            return self._dead_letter(rejection_of(refused), record, batch)

        partition.forwarded.append(Forwarded(outgoing, instead))

    def _reject(self, rejected: Rejected, record: Record, batch: MicroBatch, partition: Partition) -> None:
        """Write a record to the dead letters, as `dead_letter` makes them, unless it is there already.

        What stands for a batch has an empty value, which no agent takes: its dead letter says which records it had.

        A takeover may be delivered records again: its consumer can ask where to begin while the last commit of the
        former owner is under way. So may a partition that stays in a rebalance before its next commit. Links and visits
        that come again change nothing; dead letters would be there twice.
        """
        if isinstance(record, SkippedBatch):
            rejected = Rejected(Reason.TOO_LONG, record.detail)
        applied, _ = partition.positions.get(batch.topic, (0, 0))
        if record.offset >= max(applied, partition.rejected_until.get(batch.topic, 0)):
            partition.rejected_until[batch.topic] = record.offset + 1
            partition.dead_letters.append(self._dead_letter(rejected, record, batch))
            self._log(rejected, record, batch)

    def _log(self, rejected: Rejected, record: Record, batch: MicroBatch) -> None:
        """Log a dead letter: the first one of each reason in a micro-batch, as a broken producer makes thousands."""
        if self._logged[0] is not batch:
            self._logged = (batch, set())
        if rejected.reason in self._logged[1]:
            return
        self._logged[1].add(rejected.reason)
        where = {"topic": batch.topic, "partition": batch.partition, "offset": record.offset}
        said = "dead letter: the record of %s, partition %d, offset %d, is rejected (%s: %s)"
        fields = {**where, "reason": rejected.reason.value}
        log.warning(said, *where.values(), rejected.reason.value, rejected.detail, extra=fields)

    def _dead_letter(self, rejected: Rejected, record: Record, batch: MicroBatch) -> Outgoing:
        origin: dict[str, str | int] = {
            "topic": batch.topic,
            "partition": batch.partition,
            "offset": record.offset,
            "timestamp_ms": record.timestamp,
        }
        letter = dead_letter(rejected, origin=origin, key=record.key, value=record.value)
        self._metrics.dead_letters.labels(batch.topic, rejected.reason).inc()
        return Outgoing(self._topics.dead_letters.name, 0, letter.key, letter.value, headers=letter.headers)


_REASONS: Final = {
    "MESSAGE_SIZE_TOO_LARGE": Reason.TOO_LONG,
    "RECORD_LIST_TOO_LARGE": Reason.TOO_LONG,
    "INVALID_TIMESTAMP": Reason.INVALID_TIME,
}


def rejection_of(refused: Refused) -> Rejected:
    """Return why a record is rejected that the broker refuses."""
    reason = _REASONS.get(refused.error, Reason.INVALID_VALUE)
    return Rejected(reason, f"{refused.record.topic} takes no such record as it is set: {refused.error}")
