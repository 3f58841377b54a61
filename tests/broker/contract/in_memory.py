"""The in-memory broker, for the contract suite."""

from collections.abc import Sequence
from functools import partial

from flatline.engine.log import FencedError, Offset, Outgoing
from tests.broker.broker import Broker
from tests.broker.contract.installation import COMPACTED_TOPICS, FILLER_KEY, PARTITIONS, STATE_TOPIC, TOPICS, Bounds
from tests.broker.errors import OutdatedProducerError
from tests.broker.groups import Group
from tests.broker.memory_log import MemoryChangelog, MemoryForwarder
from tests.broker.network import PromptNetwork
from tests.broker.partition_log import Outcome, Stored
from tests.broker.transactions import Producer

GROUP = "workers"
NOW_MS = 1_780_000_000_000
TIMEOUT_MS = 60_000


class MemoryTransaction:
    """A transaction of somebody else, under way."""

    def __init__(self, broker: Broker, producer: Producer) -> None:
        self._broker = broker
        self._producer = producer

    async def end(self, *, is_committed: bool) -> None:
        """Commit or abort it. Raises FencedError."""
        try:
            transaction = self._broker.transactions.open(self._producer, now_ms=NOW_MS)
        except OutdatedProducerError as fenced:
            raise FencedError from fenced
        transaction.outcome = Outcome.COMMITTED if is_committed else Outcome.ABORTED


class InMemory:
    """An installation in memory. Marks of transactions are written one at a time, in turns of the event loop."""

    def __init__(self) -> None:
        self.broker = Broker(lambda: NOW_MS)
        for topic in TOPICS:
            self.broker.create(topic, PARTITIONS, is_compacted=topic in COMPACTED_TOPICS)
        self.broker.groups[GROUP] = Group(PARTITIONS)
        self._network = PromptNetwork(self._write_mark)
        self.changelog = MemoryChangelog(self.broker, self._network, STATE_TOPIC, group=GROUP)
        self.forwarder = MemoryForwarder(self.broker, self._network)

    def _write_mark(self) -> None:
        for transaction in self.broker.transactions.ending[:1]:
            transaction.write_mark()

    def name(self, topic: str) -> str:
        """Return the name."""
        return topic

    async def read(self, topic: str, partition: int = 0, *, is_committed: bool = True) -> Sequence[Stored]:
        """Return the records of a partition."""
        log = self.broker.log(topic, partition)
        read = await self._network.call("read", partial(log.read, log.start, committed=is_committed))
        return read.records

    async def bounds(self, topic: str, partition: int = 0) -> Bounds:
        """Return the offsets of a partition."""
        log = self.broker.log(topic, partition)
        return await self._network.call("bounds", lambda: Bounds(log.start, log.last_stable_offset, log.end))

    async def committed(self, topic: str, partition: int = 0) -> Offset | None:
        """Return a committed offset."""
        committed = self.broker.groups[GROUP].committed
        return await self._network.call("committed", lambda: committed.get((topic, partition)))

    async def begin(self, transactional_id: str, records: Sequence[Outgoing]) -> MemoryTransaction:
        """Write records in a transaction that stays open."""
        producer = self.broker.transactions.init(transactional_id, timeout_ms=TIMEOUT_MS)
        assert producer is not None, "there was no former transaction"
        for record in records:
            self.broker.produce(record.topic, record.partition, [record], producer)
        return MemoryTransaction(self.broker, producer)

    async def delete_before(self, topic: str, offset: int) -> None:
        """Delete what is older than an offset."""
        self.broker.log(topic, 0).delete_before(offset)

    async def compact(self, topic: str) -> None:
        """Compact a partition."""
        await self.forwarder.forward([Outgoing(topic, 0, FILLER_KEY, b"")])
        self.broker.log(topic, 0).compact()

    async def close(self) -> None:
        """Do nothing."""
