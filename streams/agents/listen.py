"""Whole topics, read by every worker from their beginning, outside the consumer group."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.domain.sight.sources import Sources
from streams.engine.kafka_log import started
from streams.schema import codec
from streams.schema.rejection import Rejected
from streams.schema.topics import Topic

RETRY_S = 2.0
POLL_MS = 1_000

log = logging.getLogger("flatline.listen")

# Takes a record's key and value; raises Rejected for what can't be read.
Hear = Callable[[bytes, bytes], None]


class Listen:
    """Reads a topic for ever. ``is_current``: it has heard all that was there when it began."""

    def __init__(self, *, bootstrap: str, topic: Topic, hear: Hear) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._hear = hear
        self.is_current = False

    async def run(self) -> None:
        """Listen for ever. A broker out of reach is tried again: meanwhile what is known gets old, which is true."""
        while True:
            try:
                await self._listen()
            except KafkaError as error:
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
            partitions = [TopicPartition(self._topic.name, number) for number in range(self._topic.partitions)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            while True:
                # Once all is heard there is nothing to look at but records.
                if not self.is_current:
                    positions = [await consumer.position(partition) for partition in partitions]
                    self.is_current = all(
                        at >= ends[partition] for at, partition in zip(positions, partitions, strict=True)
                    )
                for records in (await consumer.getmany(timeout_ms=POLL_MS if self.is_current else 100)).values():
                    self._take(records)

    def _take(self, records: Iterable[object]) -> None:
        for record in records:
            key, value = record.key, record.value  # type: ignore[attr-defined]
            if key is None or value is None:  # a tombstone: what it was about was taken away
                continue
            try:
                self._hear(key, value)
            except Rejected as rejected:
                # Not dead-lettered: every worker reads this, and it is compacted, so the record stays where it is.
                log.warning("a record of %s can't be read: %s", self._topic.name, rejected)


def hear_heartbeats(sources: Sources) -> Hear:
    """Return what puts heartbeats into the freshness of sources. Any article may have any source."""

    def hear(_key: bytes, value: bytes) -> None:
        sources.hear(codec.heartbeats.decode(value))

    return hear
