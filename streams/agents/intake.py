"""What every stream of foreign records has in common: some can't be read, and some lie on the wrong partition."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from streams.engine.batch_writer import Outgoing
from streams.engine.micro_batch import Record
from streams.engine.partition import Partition
from streams.metrics import WorkerMetrics
from streams.schema import dead_letter
from streams.schema.partitioning import partition_of
from streams.schema.rejection import Rejected
from streams.schema.topics import Topics


class Intake(ABC):
    """Takes micro-batches of records into a partition; ``send`` has a record written with the next commit."""

    def __init__(self, *, topics: Topics, send: Callable[[Outgoing], None], metrics: WorkerMetrics) -> None:
        self._topics = topics
        self._send = send
        self._metrics = metrics

    def apply(self, records: Sequence[Record], partition: Partition, *, now_ms: int) -> None:
        """Take every record: into its article, to the dead letters, or on to the partition where it belongs."""
        for record in records:
            try:
                self._take(record, partition, now_ms)
            except Rejected as rejected:
                self._send(self._dead_letter_of(record, rejected))
                self._metrics.dead_letters.labels(record.topic, rejected.reason).inc()

    @abstractmethod
    def _take(self, record: Record, partition: Partition, now_ms: int) -> None:
        """Take one record; raise `Rejected` for what can't be read."""

    def _is_misplaced(self, key: bytes, record: Record) -> bool:
        """Whether a record with this article key belongs on another partition: its producer hashed other bytes."""
        return partition_of(key, self._topics.links.partitions) != record.partition

    def _send_on(self, key: bytes, record: Record) -> None:
        """Send a record to where it belongs: rightly keyed, its time and bytes untouched."""
        target = partition_of(key, self._topics.links.partitions)
        self._send(Outgoing(record.topic, target, key, record.value, record.timestamp, record.headers))
        self._metrics.forwarded.labels(record.topic).inc()

    def _dead_letter_of(self, record: Record, rejected: Rejected) -> Outgoing:
        """Return the dead letter of a record: its bytes untouched, its coordinates and the reason in the headers."""
        origin: dict[str, str | int] = {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "timestamp_ms": record.timestamp,
        }
        headers = dead_letter.headers(rejected, origin=origin)
        return Outgoing(self._topics.dead_letters.name, 0, record.key, record.value or b"", record.timestamp, headers)
