"""Reads whole topics, in every worker, from their beginning and outside the consumer group.

Kafka Streams calls that a global table.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from flatline.domain.visibility.sources import Sources
from flatline.engine.kafka_log import started
from flatline.kafka.cluster import AsyncConsumer, KafkaCluster
from flatline.schema import codec
from flatline.schema.rejection import Rejected
from flatline.schema.topics import Topic

RETRY_S = 2.0
POLL_MS = 1_000

log = logging.getLogger("flatline.topic_reader")

# Takes a record's key, value (None: a tombstone) and time in ms; raises Rejected for what can't be read.
Receive = Callable[[bytes, bytes | None, int], None]


class TopicReader:
    """Reads a topic for ever.

    ``is_current``  whether it has read all that was there when it began
    """

    def __init__(
        self,
        *,
        cluster: KafkaCluster,
        topic: Topic,
        receive: Receive,
        on_unreadable: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_unreadable`` is called for each record that ``receive`` rejects, or that has no key."""
        self._on_unreadable = on_unreadable
        self._cluster = cluster
        self._topic = topic
        self._receive = receive
        self._partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        self._positions: dict[TopicPartition, int] = {}
        self._moved = asyncio.Condition()
        self._consumer: AsyncConsumer | None = None
        self.is_current = False

    async def caught_up(self) -> None:
        """Wait until everything has been read that is in the topic now. Raise KafkaError."""
        if self._consumer is None:
            raise KafkaConnectionError(f"{self._topic.name} is not being read")
        ends = await self._consumer.end_offsets(self._partitions)
        async with self._moved:
            await self._moved.wait_for(lambda: self._has_reached(ends))

    async def current(self) -> None:
        """Wait until everything has been read that was in the topic when reading began."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.is_current)

    def _has_reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        return all(self._positions.get(partition, 0) >= end for partition, end in ends.items())

    async def run(self) -> None:
        """Read for ever. A broker out of reach is tried again; meanwhile what is known gets old."""
        while True:
            try:
                await self._read()
            except KafkaError as error:
                self._consumer = None
                log.warning("%s can't be read, trying again in %s s: %s", self._topic.name, RETRY_S, error)
                await asyncio.sleep(RETRY_S)

    async def _read(self) -> None:
        consumer = self._cluster.async_consumer(
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            isolation_level="read_committed",  # workers write verdicts and parts in transactions
        )
        async with started(consumer):
            # Of a topic that it may not see, the client would ask again and again, without a pause.
            if self._topic.name not in await consumer.topics():
                raise KafkaError(
                    "it does not exist, or this user may not read it; `flatline topics acls worker` says more"
                )
            consumer.assign(self._partitions)
            ends = await consumer.end_offsets(self._partitions)
            self._consumer = consumer
            while True:
                positions = {partition: await consumer.position(partition) for partition in self._partitions}
                if positions != self._positions:
                    async with self._moved:
                        self._positions = positions
                        self.is_current = self.is_current or self._has_reached(ends)
                        self._moved.notify_all()
                for records in (await consumer.getmany(timeout_ms=POLL_MS if self.is_current else 100)).values():
                    self._take(records)

    def _take(self, records: Iterable[object]) -> None:
        for record in records:
            key, value, recorded_ms = record.key, record.value, record.timestamp  # type: ignore[attr-defined]
            if key is None:  # nothing that is compacted
                self._on_unreadable()
                continue
            try:
                self._receive(key, value, recorded_ms)
            except Rejected as rejected:
                # Not dead-lettered: every worker reads this, and it is compacted, so the record stays where it is.
                log.warning("a record of %s can't be read: %s", self._topic.name, rejected)
                self._on_unreadable()


def heartbeat_receiver(sources: Sources) -> Receive:
    """Return a function that receives the records of the heartbeats topic for ``sources``."""

    def receive(key: bytes, value: bytes | None, recorded_ms: int) -> None:
        if value is None:
            sources.forget(key.decode(errors="replace"))
        else:
            sources.receive(codec.heartbeats.decode(value), recorded_ms=recorded_ms)

    return receive
