"""`flatline connect run`, put together: a member of the group that shares the connectors."""

import asyncio
import logging
import signal
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry

from flatline.agents.topic_reader import TopicReader
from flatline.clock import clock_from
from flatline.connect.lending import Lender, fetcher_of
from flatline.connect.owning import RETRY_S, OwnedPartition, RunnerMaker, RunnerOf
from flatline.connect.saved import POSITION, partition_of_connector
from flatline.discovery.discovery import Discovery
from flatline.domain.sites import Sites
from flatline.engine.kafka_log import started
from flatline.http import Endpoint
from flatline.kafka.cluster import AsyncConsumer, KafkaCluster
from flatline.schema.connector_record import parsed_key
from flatline.schema.topics import Topics
from flatline.settings import Settings
from flatline_connectors.errors import ConnectorError
from flatline_connectors.runtime.metrics import ConnectMetrics
from flatline_connectors.runtime.section import Section
from flatline_connectors.sending.producer import Producer

POLL_MS: Final = 1_000

log = logging.getLogger("flatline.connect")


class Member(ConsumerRebalanceListener):  # type: ignore[misc]
    """A member of the consumer group of the topic of positions: it runs the connectors of its partitions."""

    def __init__(
        self,
        sections: Sequence[Section],
        *,
        cluster: KafkaCluster,
        topics: Topics,
        session_timeout_s: float,
        runner_of: RunnerOf,
        now_ms: Callable[[], int],
        metrics: ConnectMetrics,
    ) -> None:
        self._by_partition: defaultdict[int, list[Section]] = defaultdict(list)
        for section in sections:
            self._by_partition[partition_of_connector(section.name)].append(section)
        self._cluster = cluster
        self._topics = topics
        self._session_timeout_ms = round(session_timeout_s * 1000)
        self._runner_of = runner_of
        self._now_ms = now_ms
        self._metrics = metrics
        self._owned: dict[int, OwnedPartition] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        self._is_member = False

    async def run(self) -> None:
        """Take part until this is cancelled. Kafka out of reach is tried again."""
        while True:
            try:
                await self._take_part()
            except KafkaError as error:
                log.warning("the connectors can't be shared, trying again in %s s: %r", RETRY_S, error)
                await asyncio.sleep(RETRY_S)

    async def _take_part(self) -> None:
        consumer = self._cluster.async_consumer(
            group_id=self._topics.connect_group,
            enable_auto_commit=False,
            isolation_level="read_committed",
            session_timeout_ms=self._session_timeout_ms,
            heartbeat_interval_ms=self._session_timeout_ms // 6,
            auto_offset_reset="latest",  # what is older is read when a partition is taken over
        )
        async with started(consumer):
            self._consumer: AsyncConsumer = consumer
            consumer.subscribe([self._topics.connectors.name], listener=self)
            try:
                while True:
                    for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                        for record in records:
                            self._notice(record.partition, record.key, record.value)
            finally:
                self._is_member = False
                await self._release(list(self._running))

    def _notice(self, partition: int, key: bytes | None, value: bytes | None) -> None:
        """Take a record of the topic. No process deletes positions, only parts of them: somebody has reset one."""
        kind, name, part = parsed_key(key)
        if value is None and kind == POSITION and not part and partition in self._owned:
            log.info("%s begins anew: its position was deleted", name)
            self._owned[partition].reset(name)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """End what runs: others may own it in a moment."""
        await self._release([each.partition for each in revoked])

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Run what is ours now."""
        for partition in sorted(each.partition for each in assigned):
            tp = TopicPartition(self._topics.connectors.name, partition)
            # Found before the positions are read: a tombstone in between is seen in any case.
            self._consumer.seek(tp, (await self._consumer.end_offsets([tp]))[tp])
            owned = OwnedPartition(
                partition,
                self._by_partition[partition],
                cluster=self._cluster,
                topics=self._topics,
                runner_of=self._runner_of,
                now_ms=self._now_ms,
            )
            if self._by_partition[partition]:
                self._owned[partition] = owned
                self._running[partition] = asyncio.create_task(owned.run())
        self._show()
        self._is_member = True

    async def _release(self, partitions: Iterable[int]) -> None:
        tasks = [self._running.pop(partition) for partition in partitions if partition in self._running]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for partition in set(self._owned) - set(self._running):
            del self._owned[partition]
            for section in self._by_partition[partition]:
                self._metrics.forget(section.name)
        self._show()

    def _show(self) -> None:
        self._metrics.owned.set(sum(len(self._by_partition[partition]) for partition in self._running))

    @property
    def not_ready(self) -> str | None:
        """Why connectors do not run although they should; None if all is well."""
        if not self._is_member:
            return "it is not a member of the group yet"
        return next((owned.trouble for owned in self._owned.values() if owned.trouble), None)


async def run_connectors(settings: Settings, topics: Topics, sections: list[Section], *, folder: Path) -> None:
    """Run connectors until SIGTERM or Ctrl-C, sharing them with all other processes of the same file.

    Raise `ConnectorError`. ``folder``: that of the file.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    cluster, now_ms = settings.cluster, clock_from(settings).now_ms
    sites, metrics = Sites(), ConnectMetrics(CollectorRegistry())
    site_reader = TopicReader(cluster=cluster, topic=topics.sites, receive=sites.receive_record)
    discovery = Discovery(settings, topics, role="connect", host=settings.connect_host, port=settings.connect_port)
    async with AsyncExitStack() as stack:
        running = [asyncio.create_task(site_reader.run()), asyncio.create_task(discovery.reads())]
        await site_reader.current()
        fetcher = await stack.enter_async_context(fetcher_of(settings, sections, sites))
        producer = stack.enter_context(Producer(cluster, topics, now_ms=now_ms))
        lender = Lender(settings, topics, folder=folder, fetcher=fetcher, sites=sites)
        member = Member(
            sections,
            cluster=cluster,
            topics=topics,
            session_timeout_s=settings.session_timeout_s,
            runner_of=RunnerMaker(lender, producer, metrics),
            now_ms=now_ms,
            metrics=metrics,
        )
        endpoint = Endpoint(
            host=settings.connect_host,
            port=settings.connect_port,
            registry=metrics.registry,
            not_live=lambda: None,
            not_ready=lambda: member.not_ready,
            discovery=discovery.answer,
            tls=settings.server_context,
        )
        try:
            await endpoint.start()
        except OSError as error:
            raise ConnectorError(
                f"`flatline connect run` can't listen on {settings.connect_host}:{settings.connect_port}: "
                f"{error.strerror}.",
                remedy="Choose another address with --host and --port, or FLATLINE_CONNECT_HOST and …_PORT.",
            ) from error
        stack.push_async_callback(endpoint.stop)
        stack.push_async_callback(_ended, running)  # before what they use is closed
        running += [asyncio.create_task(each()) for each in (discovery.announces, member.run)]
        log.info("%d connectors; metrics: %s://%s:%d", *_shown(settings, sections))
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([stopping, *running], return_when=asyncio.FIRST_COMPLETED)
        await discovery.end()
        for task in done:
            task.result()  # raises what ended it: none of them ends by itself


async def _ended(running: "list[asyncio.Task[None]]") -> None:
    for task in running:
        task.cancel()
    await asyncio.wait(running)


def _shown(settings: Settings, sections: Sequence[Section]) -> tuple[int, str, str, int]:
    return len(sections), settings.scheme, settings.connect_host, settings.connect_port
