"""What every stream of foreign records has in common: some can't be read, and some lie on the wrong partition."""

from abc import ABC, abstractmethod

from streams.engine.log import MicroBatch, Outgoing, Record
from streams.engine.partition import Partition
from streams.metrics import WorkerMetrics
from streams.schema import dead_letter
from streams.schema.partitioning import partition_of
from streams.schema.rejection import Rejected
from streams.schema.topics import Topics


class Intake(ABC):
    """Takes micro-batches of records of one topic."""

    def __init__(self, *, topics: Topics, metrics: WorkerMetrics) -> None:
        self._topics = topics
        self._metrics = metrics

    @abstractmethod
    def apply(self, batch: MicroBatch, partition: Partition, *, now_ms: int) -> None:
        """Take every record: into its article, to the dead letters, or on to the partition where it belongs."""

    def _belongs_elsewhere(self, key: bytes, batch: MicroBatch) -> bool:
        """Whether records with this article key belong on another partition: their producer hashed other bytes."""
        return partition_of(key, self._topics.links.partitions) != batch.partition

    def _send_on(self, key: bytes, record: Record, batch: MicroBatch, partition: Partition) -> None:
        """Send a record to where it belongs: rightly keyed, its time and bytes untouched."""
        target = partition_of(key, self._topics.links.partitions)
        partition.forwarded.append(Outgoing(batch.topic, target, key, record.value, record.timestamp, record.headers))
        self._metrics.forwarded.labels(batch.topic).inc()

    def _reject(self, rejected: Rejected, record: Record, batch: MicroBatch, partition: Partition) -> None:
        """Write a record to the dead letters: its bytes untouched, its coordinates and the reason in the headers."""
        origin: dict[str, str | int] = {
            "topic": batch.topic,
            "partition": batch.partition,
            "offset": record.offset,
            "timestamp_ms": record.timestamp,
        }
        letters, headers = self._topics.dead_letters.name, dead_letter.headers(rejected, origin=origin)
        partition.dead_letters.append(Outgoing(letters, 0, record.key, record.value or b"", record.timestamp, headers))
        self._metrics.dead_letters.labels(batch.topic, rejected.reason).inc()
