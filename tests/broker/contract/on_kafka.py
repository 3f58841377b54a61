"""A real Kafka, for the contract suite: through the engine's own `kafka_log`."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.errors import ProducerFenced

from flatline.engine.kafka_log import KafkaChangelog, KafkaForwarder
from flatline.engine.log import FencedError, Offset, Outgoing
from flatline.kafka.cluster import KafkaCluster
from tests.broker.contract.installation import COMPACTED_TOPICS, FILLER_KEY, PARTITIONS, STATE_TOPIC, TOPICS, Bounds
from tests.waiting import PATIENCE_S

COMPACTED_SOON = {
    "cleanup.policy": "compact",
    "segment.ms": "100",
    "min.cleanable.dirty.ratio": "0.001",
    "min.compaction.lag.ms": "0",
}


class KafkaTransaction:
    """A transaction of somebody else, under way."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def end(self, *, is_committed: bool) -> None:
        """Commit or abort it. Raises FencedError."""
        try:
            await (self._producer.commit_transaction() if is_committed else self._producer.abort_transaction())
        except ProducerFenced as fenced:
            raise FencedError from fenced


class OnKafka:
    """An installation on a Kafka, in a namespace of its own. To be opened before use."""

    def __init__(self, bootstrap: str, namespace: str) -> None:
        self._client = {"bootstrap_servers": bootstrap}
        cluster = KafkaCluster(bootstrap)
        self._namespace = namespace
        self._opened: list[Any] = []
        self.changelog = KafkaChangelog(self.name(STATE_TOPIC), group=namespace, cluster=cluster)
        self.forwarder = KafkaForwarder(cluster)

    async def open(self) -> None:
        """Create the topics."""
        async with self._admin() as admin:
            await admin.create_topics(
                [
                    NewTopic(
                        self.name(topic),
                        num_partitions=PARTITIONS,
                        replication_factor=1,
                        topic_configs=COMPACTED_SOON if topic in COMPACTED_TOPICS else {},
                    )
                    for topic in TOPICS
                ]
            )

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(**self._client)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    def name(self, topic: str) -> str:
        """Return the name: with the namespace."""
        return f"{self._namespace}.{topic}"

    async def read(self, topic: str, partition: int = 0, *, is_committed: bool = True) -> Sequence[Any]:
        """Return the records of a partition."""
        found: list[Any] = []
        async with self._reader(topic, partition, is_committed=is_committed) as (consumer, tp):
            end = (await consumer.end_offsets([tp]))[tp]
            while await consumer.position(tp) < end:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += records
        return found

    @asynccontextmanager
    async def _reader(
        self, topic: str, partition: int, *, is_committed: bool
    ) -> AsyncIterator[tuple[AIOKafkaConsumer, TopicPartition]]:
        tp = TopicPartition(self.name(topic), partition)
        async with AIOKafkaConsumer(
            **self._client,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed" if is_committed else "read_uncommitted",
        ) as consumer:
            consumer.assign([tp])
            yield consumer, tp

    async def bounds(self, topic: str, partition: int = 0) -> Bounds:
        """Return the offsets of a partition."""
        ends = []
        for is_committed in (True, False):
            async with self._reader(topic, partition, is_committed=is_committed) as (consumer, tp):
                start = (await consumer.beginning_offsets([tp]))[tp]
                ends.append((await consumer.end_offsets([tp]))[tp])
        return Bounds(start, *ends)

    async def committed(self, topic: str, partition: int = 0) -> Offset | None:
        """Return a committed offset."""
        async with self._admin() as admin:
            offsets = await admin.list_consumer_group_offsets(self._namespace)
        found = offsets.get(TopicPartition(self.name(topic), partition))
        return None if found is None or found.offset < 0 else Offset(found.offset, found.metadata)

    async def begin(self, transactional_id: str, records: Sequence[Outgoing]) -> KafkaTransaction:
        """Write records in a transaction that stays open."""
        producer = AIOKafkaProducer(**self._client, transactional_id=transactional_id)
        self._opened.append(producer)
        await producer.start()
        await producer.begin_transaction()
        for record in records:
            await producer.send_and_wait(record.topic, record.value, record.key, record.partition)
        return KafkaTransaction(producer)

    async def delete_before(self, topic: str, offset: int) -> None:
        """Delete what is older than an offset."""
        async with self._admin() as admin:
            await admin.delete_records({TopicPartition(self.name(topic), 0): RecordsToDelete(offset)})

    async def compact(self, topic: str) -> None:
        """Wait until the cleaner has been here. It cleans closed segments, and a newer record closes one."""
        before = len(await self.read(topic))
        give_up_at_s, fillers = time.monotonic() + PATIENCE_S, 0
        while len(await self.read(topic)) >= before + fillers:
            assert time.monotonic() < give_up_at_s, "the log was never compacted"
            await self.forwarder.forward([Outgoing(self.name(topic), 0, FILLER_KEY, b"")])
            fillers += 1
            await asyncio.sleep(1)

    async def close(self) -> None:
        """Give back the connections."""
        await self.forwarder.close()
        for producer in self._opened:
            await producer.stop()
