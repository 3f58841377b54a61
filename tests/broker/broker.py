"""A Kafka broker in memory, as far as the engine can tell the difference: `contract` holds both to the same tests.

Nothing in it takes time or runs by itself. Its clock is an argument; marks of transactions, compaction, retention,
expired sessions and transactions happen when a test or a schedule says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flatline.engine.log import Outgoing
from tests.broker.errors import RefusedError
from tests.broker.groups import Group
from tests.broker.partition_log import PartitionLog, bytes_of
from tests.broker.transactions import Producer, Transactions

AHEAD_MAX_MS = 3_600_000
MESSAGE_BYTES_MAX = 1_048_588


@dataclass
class MemoryTopic:
    """A topic's partitions and settings."""

    partitions: list[PartitionLog]
    is_compacted: bool = False
    max_message_bytes: int = MESSAGE_BYTES_MAX


@dataclass
class Broker:
    """One broker: it holds all partitions, and coordinates all groups and transactions."""

    now_ms: Callable[[], int]
    topics: dict[str, MemoryTopic] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    transactions: Transactions = field(default_factory=Transactions)

    def create(
        self, topic: str, partitions: int, *, is_compacted: bool = False, max_message_bytes: int = MESSAGE_BYTES_MAX
    ) -> None:
        """Create a topic."""
        self.topics[topic] = MemoryTopic([PartitionLog() for _ in range(partitions)], is_compacted, max_message_bytes)

    def log(self, topic: str, partition: int) -> PartitionLog:
        """Return the log of a partition."""
        return self.topics[topic].partitions[partition]

    def produce(
        self, topic: str, partition: int, records: Sequence[Outgoing], producer: Producer | None = None
    ) -> None:
        """Write a batch: within the transaction of its producer if that has one. Raises BrokerError."""
        settings, now_ms = self.topics[topic], self.now_ms()
        if bytes_of(records) > settings.max_message_bytes:
            raise RefusedError("the batch is too long")
        for record in records:
            if settings.is_compacted and record.key is None:
                raise RefusedError("a compacted topic takes no record without a key")
            if record.timestamp_ms is not None and record.timestamp_ms > now_ms + AHEAD_MAX_MS:
                raise RefusedError("the record is dated too far ahead")
        log, part = settings.partitions[partition], None
        if producer is not None:
            parts = self.transactions.open(producer, now_ms=now_ms).parts
            part = parts.get(log) or parts.setdefault(log, log.begin())
        log.append(records, now_ms=now_ms, part=part)

    def write_marks(self) -> None:
        """Write all marks of transactions that are missing."""
        for transaction in self.transactions.ending:
            while transaction.is_ending:
                transaction.write_mark()
