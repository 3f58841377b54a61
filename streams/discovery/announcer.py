"""Announces one instance for as long as it runs."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from aiokafka.errors import KafkaError
from msgspec.structs import replace

from flatline.engine.kafka_log import stop_producer
from flatline.kafka.cluster import AsyncProducer, KafkaCluster
from flatline.kafka.secret_file import CredentialError
from flatline.schema import codec
from flatline.schema.instance import Instance
from flatline.schema.topics import Topic

ANNOUNCE_EVERY_S: Final = 30.0
WITHDRAW_WITHIN_S: Final = 5.0

log = logging.getLogger("flatline.discovery")


class Announcer:
    """Writes an instance to its topic at intervals, and a tombstone when the process ends as it should."""

    def __init__(
        self, cluster: KafkaCluster, topic: Topic, *, name: str, instance: Instance, now: Callable[[], datetime]
    ) -> None:
        """``name``: the record's key. ``now``: the wall clock, in UTC."""
        self._cluster = cluster
        self._topic = topic.name
        self._key = name.encode()
        self._instance = instance
        self._now = now
        self._producer: AsyncProducer | None = None
        self._one_at_a_time = asyncio.Lock()
        self._has_ended = asyncio.Event()

    async def run(self) -> None:
        """Announce until `withdraw`. What Kafka refuses is logged, and tried again when it is next due."""
        while not self._has_ended.is_set():
            async with self._one_at_a_time:
                try:
                    await self._send(codec.instances.encode(replace(self._instance, announced_at=self._now())))
                except (KafkaError, CredentialError) as error:
                    log.warning("Prometheus can't be told of this process yet: %r", error)
            try:
                async with asyncio.timeout(ANNOUNCE_EVERY_S):
                    await self._has_ended.wait()
            except TimeoutError:
                continue

    async def withdraw(self) -> None:
        """Write the tombstone. If Kafka does not accept it in time, the instance counts as one that died."""
        self._has_ended.set()
        try:
            async with asyncio.timeout(WITHDRAW_WITHIN_S), self._one_at_a_time:
                await self._send(None)
        except (KafkaError, CredentialError, TimeoutError) as error:
            log.warning("Prometheus can't be told that this process has ended: %r", error)
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_producer(producer)

    async def _send(self, value: bytes | None) -> None:
        if self._producer is None:
            producer = self._cluster.async_producer(acks="all")
            try:
                await producer.start()
                self._producer = producer
            finally:
                if self._producer is None:
                    await stop_producer(producer)
        await self._producer.send_and_wait(self._topic, value, key=self._key, partition=0)
