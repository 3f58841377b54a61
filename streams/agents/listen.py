"""Heartbeats into the freshness of sources. Every worker hears all of them: any article may have any source."""

import asyncio
import logging

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.domain.sources import Sources
from streams.schema import codec
from streams.schema.rejection import Rejected
from streams.schema.topics import Topic

RETRY_S = 2.0

log = logging.getLogger("flatline.heartbeats")


class Listen:
    """Reads the whole heartbeat topic, from its beginning, outside the consumer group."""

    def __init__(self, *, bootstrap: str, topic: Topic, sources: Sources) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._sources = sources

    async def run(self) -> None:
        """Listen for ever. A broker out of reach is tried again: meanwhile sources look stale, which is the truth."""
        while True:
            try:
                await self._listen()
            except KafkaError as error:
                log.warning("heartbeats can't be read, trying again in %s s: %s", RETRY_S, error)
                await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign([TopicPartition(self._topic.name, n) for n in range(self._topic.partitions)])
            async for record in consumer:
                self._hear(record.value)
        finally:
            await consumer.stop()

    def _hear(self, value: bytes | None) -> None:
        if value is None:  # a tombstone: the source was taken away
            return
        try:
            self._sources.hear(codec.heartbeats.decode(value))
        except Rejected as rejected:
            # Not dead-lettered: every worker reads this topic, and it is compacted, so the record stays where it is.
            log.warning("a heartbeat can't be read: %s", rejected)
