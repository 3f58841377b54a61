"""The worker, put together: settings in, a running Faust app out."""

import gc
import logging
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Protocol, cast

from faust import streams as faust_streams
from faust.worker import Worker
from mode import Service
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from streams.agents.accumulate import Accumulate
from streams.agents.judge import Judge
from streams.agents.listen import Listen
from streams.agents.register import Register
from streams.clock import Clock, clock_from
from streams.domain.policy import Policy
from streams.domain.sources import Sources
from streams.domain.watch_list import WatchList
from streams.engine.app import MicroBatchApp
from streams.engine.commit_guard import CommitGuard
from streams.engine.micro_batch import MicroBatches, RawRecords, Record
from streams.engine.partition import Partition
from streams.engine.store import ArticleStore, ArticleTable, die
from streams.engine.watchdog import LoopWatchdog
from streams.health import Health
from streams.http import Endpoint
from streams.metrics import Gauges, Snapshot, WorkerMetrics
from streams.schema.topics import Topics
from streams.settings import Settings

SESSION_TIMEOUT_S: Final = 20.0
HEARTBEAT_INTERVAL_S: Final = 3.0
COMMIT_INTERVAL_S: Final = 1.0
MICRO_BATCH_RECORDS_MAX: Final = 4_000
MICRO_BATCHES_WAITING_MAX: Final = 16
FETCH_BYTES_MAX: Final = 4 << 20
PRODUCER_BATCH_BYTES_MAX: Final = 1 << 19


log = logging.getLogger("flatline.worker")


class UnfitError(Exception):
    """This installation can't run a worker. The message says what to do."""


class Apply(Protocol):
    """Applies a micro-batch to the state of its partition. Raises nothing for bad records."""

    def __call__(self, records: Sequence[Record], partition: Partition, *, now_ms: int) -> None:
        """Apply them in order."""


class Background(Service):
    """What runs beside the streams, from the start of the worker to its end."""

    def __init__(self, endpoint: Endpoint, tasks: Sequence[Callable[[], Coroutine[Any, Any, None]]]) -> None:
        super().__init__()
        self._endpoint = endpoint
        self._run = tasks

    async def on_start(self) -> None:
        """Listen, then start the tasks."""
        await self._endpoint.start()
        for run in self._run:
            self.add_future(run())

    async def on_stop(self) -> None:
        """Listen no more."""
        await self._endpoint.stop()


def run_worker(settings: Settings) -> None:
    """Run a worker until it is told to stop; ends the process. Raises UnfitError."""
    if getattr(faust_streams, "_CStreamIterator", None) is None:
        raise UnfitError(
            "Faust's compiled streams are missing, and its Python ones acknowledge what they have not seen. "
            "Install faust-streaming from a wheel, or with a C compiler at hand."
        )
    app, background = assemble(settings)
    # Articles live as long as the worker: looking for garbage among them takes a quarter of all time.
    gc.set_threshold(100_000, 20, 100)
    worker = Worker(app, background, quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None
    log.info("metrics and health: http://%s:%d", settings.worker_host, settings.worker_port)
    worker.execute_from_commandline()


def assemble(settings: Settings) -> tuple[MicroBatchApp, Background]:
    """Build everything one worker consists of."""
    topics = Topics(namespace=settings.namespace, partitions=settings.partitions)
    clock, sources, watch_list = clock_from(settings), Sources(), WatchList(settings.watch_list_size)
    metrics = WorkerMetrics(CollectorRegistry())
    app = _faust_app(settings)
    store = _articles(app, topics)
    judge = Judge(topics=topics, clock=clock, policy=Policy(), sources=sources, watch_list=watch_list)
    guard = app.guard = CommitGuard(changelog_topic=topics.changelog.name, store=store, settle=judge.settle)
    health = Health(app=app, guard=guard, store=store, topics=topics)
    judge.is_lagging = health.is_lagging
    guard.on_flushed = metrics.commit_duration.observe

    def recovered(newly: frozenset[int]) -> None:
        judge.assigned(store.partitions, newly)
        guard.gain()
        articles = sum(len(partition) for partition in store.partitions.values())
        log.info("ready: %d partitions, %d of them new here; %d articles", len(store.partitions), len(newly), articles)

    store.on_recovered = recovered
    store.on_lost = guard.lose
    for topic, agent in (
        (topics.links, Accumulate(topics=topics, send=guard.send, metrics=metrics)),
        (topics.articles, Register(topics=topics, send=guard.send, metrics=metrics)),
    ):
        _add_agent(app, topic.name, agent.apply, store, clock)

    loop_watchdog = LoopWatchdog(limit_s=SESSION_TIMEOUT_S / 2)

    def snapshot() -> Snapshot:
        return Snapshot(
            states=(entry for docket in judge.dockets.values() for entry in docket.states),
            watched=watch_list.chosen(),
            watch_list_left_out=watch_list.left_out,
            freshness=sources.freshness(clock.now_ms()),
            lag=health.lag(),
            partitions_assigned=health.partitions_assigned(),
            partitions_recovered=len(store.recovered),
            last_commit_s=guard.last_durable_s,
            is_stuck=health.is_stuck(),
            event_loop_lag_s=loop_watchdog.lag_s,
            rebalances=app.rebalancing_count,
        )

    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=metrics.registry)
    metrics.registry.register(Gauges(snapshot))
    listen = Listen(bootstrap=settings.kafka_bootstrap, topic=topics.heartbeats, sources=sources)
    endpoint = Endpoint(
        host=settings.worker_host,
        port=settings.worker_port,
        registry=metrics.registry,
        not_live=health.not_live,
        not_ready=health.not_ready,
    )
    return app, Background(endpoint, [loop_watchdog.run, health.run, listen.run])


def _faust_app(settings: Settings) -> MicroBatchApp:
    return MicroBatchApp(
        settings.namespace,
        broker=[f"aiokafka://{server}" for server in settings.kafka_bootstrap.split(",")],
        store="memory://",
        topic_partitions=settings.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        web_enabled=False,
        # Static membership: a worker that is restarted takes its own place again, with nobody waiting for its session
        # to expire. Address and port tell workers of one machine apart; machines must differ in their host name.
        consumer_group_instance_id=f"{socket.gethostname()}-{settings.worker_host}-{settings.worker_port}",
        consumer_auto_offset_reset="earliest",
        ConsumerScheduler=MicroBatches,
        Table=ArticleTable,
        broker_max_poll_records=MICRO_BATCH_RECORDS_MAX,
        consumer_max_fetch_size=FETCH_BYTES_MAX,
        broker_commit_interval=COMMIT_INTERVAL_S,
        broker_session_timeout=SESSION_TIMEOUT_S,
        broker_heartbeat_interval=HEARTBEAT_INTERVAL_S,
        stream_buffer_maxsize=MICRO_BATCHES_WAITING_MAX,
        stream_recovery_delay=0.0,
        producer_max_batch_size=PRODUCER_BATCH_BYTES_MAX,
    )


def _articles(app: MicroBatchApp, topics: Topics) -> ArticleStore:
    changelog = app.topic(
        topics.changelog.name,
        schema=RawRecords(),
        partitions=topics.changelog.partitions,
        acks=False,
        internal=True,
        allow_empty=True,
    )
    table = app.Table(
        "articles",
        partitions=topics.changelog.partitions,
        schema=RawRecords(),
        # 1 is a special case in Faust that goes on reading the changelog after recovery.
        recovery_buffer_size=4,
        changelog_topic=changelog,
    )
    return cast(ArticleStore, table.data)


def _add_agent(app: MicroBatchApp, topic: str, apply: Apply, store: ArticleStore, clock: Clock) -> None:
    """Have every micro-batch of a topic applied, in order, by one agent that never awaits in between."""

    async def agent(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            try:
                apply(event.value, store.partitions[message.partition], now_ms=clock.now_ms())
            except Exception:  # noqa: BLE001
                # Faust acknowledges what an agent fails on: it must not come to that.
                die(f"a micro-batch of {message.tp} up to offset {message.offset} can't be applied")
            app.guard.applied(message.tp, message.offset + 1)

    app.agent(app.topic(topic, schema=RawRecords(), allow_empty=True), name=topic)(agent)
