"""Whole topics, read by every worker from their beginning, outside the consumer group."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from flatline.domain.visibility.sources import Sources
from flatline.engine.kafka_log import started
from flatline.schema import codec
from flatline.schema.rejection import Rejected
from flatline.schema.topics import Topic

RETRY_S = 2.0
POLL_MS = 1_000

log = logging.getLogger("flatline.listen")

# Takes a record's key, value (None: a tombstone) and time in ms; raises Rejected for what can't be read.
Hear = Callable[[bytes, bytes | None, int], None]


class Listen:
    """Reads a topic for ever. ``is_current``: it has heard all that was there when it began."""

    def __init__(self, *, bootstrap: str, topic: Topic, hear: Hear) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._hear = hear
        self._partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        self._positions: dict[TopicPartition, int] = {}
        self._moved = asyncio.Condition()
        self._consumer: AIOKafkaConsumer | None = None
        self.is_current = False

    async def caught_up(self) -> None:
        """Wait until everything has been heard that is in the topic now. Raise KafkaError."""
        if self._consumer is None:
            raise KafkaConnectionError(f"{self._topic.name} is not being read")
        ends = await self._consumer.end_offsets(self._partitions)
        async with self._moved:
            await self._moved.wait_for(lambda: self._has_heard(ends))

    async def current(self) -> None:
        """Wait until everything has been heard that was in the topic when reading began."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.is_current)

    def _has_heard(self, ends: Mapping[TopicPartition, int]) -> bool:
        return all(self._positions.get(partition, 0) >= end for partition, end in ends.items())

    async def run(self) -> None:
        """Listen for ever. A broker out of reach is tried again: meanwhile what is known gets old, which is true."""
        while True:
            try:
                await self._listen()
            except KafkaError as error:
                self._consumer = None
                log.warning("%s can't be read, trying again in %s s: %s", self._topic.name, RETRY_S, error)
                await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            isolation_level="read_committed",  # workers write verdicts and parts in transactions
        )
        async with started(consumer):
            consumer.assign(self._partitions)
            ends = await consumer.end_offsets(self._partitions)
            self._consumer = consumer
            while True:
                positions = {partition: await consumer.position(partition) for partition in self._partitions}
                if positions != self._positions:
                    async with self._moved:
                        self._positions = positions
                        self.is_current = self.is_current or self._has_heard(ends)
                        self._moved.notify_all()
                for records in (await consumer.getmany(timeout_ms=POLL_MS if self.is_current else 100)).values():
                    self._take(records)

    def _take(self, records: Iterable[object]) -> None:
        for record in records:
            key, value, recorded_ms = record.key, record.value, record.timestamp  # type: ignore[attr-defined]
            if key is None:  # nothing that is compacted
                continue
            try:
                self._hear(key, value, recorded_ms)
            except Rejected as rejected:
                # Not dead-lettered: every worker reads this, and it is compacted, so the record stays where it is.
                log.warning("a record of %s can't be read: %s", self._topic.name, rejected)


def hear_heartbeats(sources: Sources) -> Hear:
    """Return what puts heartbeats into the freshness of sources. Any article may have any source."""

    def hear(key: bytes, value: bytes | None, recorded_ms: int) -> None:
        if value is None:
            sources.forget(key.decode(errors="replace"))
        else:
            sources.hear(codec.heartbeats.decode(value), recorded_ms=recorded_ms)

    return hear
