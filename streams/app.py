"""The worker, put together: settings in, a running Faust app out."""

import gc
import logging
import socket
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Protocol

from faust import streams as faust_streams
from faust.worker import Worker
from mode import Service
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from streams.agents.accumulate import Accumulate
from streams.agents.judge import Judge
from streams.agents.listen import Hear, Listen, hear_heartbeats
from streams.agents.register import Register
from streams.agents.survey import Groups, Surveyor
from streams.agents.visits import CountVisits
from streams.clock import Clock, clock_from
from streams.domain.groups.census import Census
from streams.domain.sight.sources import Sources
from streams.domain.watch_list import WatchList
from streams.engine.app import MicroBatchApp
from streams.engine.changelog import Changelog
from streams.engine.commit_guard import CommitGuard
from streams.engine.ending import die
from streams.engine.log import MicroBatch
from streams.engine.micro_batch import MicroBatches, RawRecords
from streams.engine.ownership import Ownership
from streams.engine.partition import Partition
from streams.engine.watchdog import LoopWatchdog
from streams.health import Health
from streams.http import Endpoint
from streams.metrics import Gauges, Snapshot, WorkerMetrics
from streams.metrics.limits import MONTHS_LABELLED_MAX, STRATEGIES_LABELLED_MAX
from streams.policy_file import load_policies
from streams.schema.topics import Topic
from streams.settings import Settings

HEARTBEATS_A_SESSION: Final = 6
COMMIT_INTERVAL_S: Final = 1.0
CATCHING_UP_COMMIT_INTERVAL_S: Final = 5.0
MICRO_BATCH_RECORDS_MAX: Final = 12_000
MICRO_BATCHES_WAITING_MAX: Final = 4
FETCH_BYTES_MAX: Final = 8 << 20


log = logging.getLogger("flatline.worker")

Task = Callable[[], Coroutine[Any, Any, None]]


class UnfitError(Exception):
    """This installation can't run a worker. The message says what to do."""


class Apply(Protocol):
    """Applies a micro-batch to the state of its partition. Raises nothing for bad records."""

    def __call__(self, batch: MicroBatch, partition: Partition, *, now_ms: int) -> None:
        """Apply its records in order."""


class Background(Service):
    """What runs beside the streams, from the start of the worker to its end."""

    def __init__(self, endpoint: Endpoint, tasks: Sequence[Task], *, at_end: Task) -> None:
        super().__init__()
        self._endpoint = endpoint
        self._run = tasks
        self._at_end = at_end

    async def on_start(self) -> None:
        """Listen, then start the tasks."""
        await self._endpoint.start()
        for run in self._run:
            self.add_future(run())

    async def on_stop(self) -> None:
        """Listen no more."""
        await self._endpoint.stop()
        await self._at_end()


def run_worker(settings: Settings) -> None:
    """Run a worker until it is told to stop; ends the process. Raises UnfitError and PolicyError."""
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
    """Build everything one worker consists of. Raises PolicyError."""
    policies = load_policies(settings.policy_file)
    topics = settings.topics
    clock, sources, watch_list = clock_from(settings), Sources(), WatchList(settings.watch_list_size)
    metrics = WorkerMetrics(CollectorRegistry())
    app = _faust_app(settings)
    changelog = Changelog(topics.changelog.name, client={"bootstrap_servers": settings.kafka_bootstrap})
    ownership = app.ownership = Ownership(changelog)
    census, groups = Census(settings.partitions), Groups()
    surveyor = Surveyor(topics=topics, policy=policies.default, census=census, groups=groups)
    judge = Judge(
        topics=topics,
        clock=clock,
        policies=policies,
        sources=sources,
        watch_list=watch_list,
        census=census,
        surveyor=surveyor,
    )
    guard = app.guard = CommitGuard(ownership, judge.settle)
    health = Health(app=app, topics=topics)
    judge.is_lagging = health.is_lagging
    guard.on_flushed = metrics.commit_duration.observe
    app.may_commit_later = lambda: guard.since_flush_s < CATCHING_UP_COMMIT_INTERVAL_S and health.is_lagging()
    ownership.on_whole = lambda newly: judge.assigned(
        {number: owned.partition for number, owned in ownership.owned.items()}, newly
    )
    accumulate = Accumulate(topics=topics, metrics=metrics, ignored=policies.ignored)
    _add_agent(app, topics.links.name, accumulate.apply, clock)
    _add_agent(app, topics.articles.name, Register(topics=topics, metrics=metrics).apply, clock)
    _add_agent(app, topics.visits.name, CountVisits(topics=topics, metrics=metrics).apply, clock)

    loop_watchdog = LoopWatchdog(limit_s=settings.session_timeout_s / 2)

    def snapshot() -> Snapshot:
        numbers = frozenset(judge.dockets)
        left_out_registered, left_out_found = watch_list.left_out()
        return Snapshot(
            tally=sum((docket.tally for docket in judge.dockets.values()), Counter()),
            windows=surveyor.windows(numbers),
            watched=watch_list.chosen(),
            watch_list_capacity=watch_list.size,
            left_out_registered=left_out_registered,
            left_out_found=left_out_found,
            groups=surveyor.owned(numbers),
            cohorts=surveyor.cohorts(numbers, months=MONTHS_LABELLED_MAX, strategies=STRATEGIES_LABELLED_MAX),
            freshness=sources.freshness(clock.now_ms()),
            rhythms=sources.rhythms(),
            lag=health.lag(),
            partitions_declared=settings.partitions,
            partitions_assigned=len(ownership.assigned),
            partitions_recovered=len(ownership.owned),
            recovery_s=ownership.recovery_s,
            last_commit_s=guard.last_durable_s,
            judged_until_s=min((docket.judged_until_ms / 1000 for docket in judge.dockets.values()), default=None),
            is_stuck=health.is_stuck(),
            event_loop_lag_s=loop_watchdog.lag_s,
            rebalances=app.rebalancing_count,
        )

    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=metrics.registry)
    metrics.registry.register(Gauges(snapshot))

    def listen(topic: Topic, hear: Hear) -> Listen:
        return Listen(bootstrap=settings.kafka_bootstrap, topic=topic, hear=hear)

    heartbeats = listen(topics.heartbeats, hear_heartbeats(sources))
    parts, verdicts = listen(topics.group_parts, census.hear_record), listen(topics.groups, groups.hear)
    surveyor.may_judge = lambda: verdicts.is_current
    endpoint = Endpoint(
        host=settings.worker_host,
        port=settings.worker_port,
        registry=metrics.registry,
        not_live=health.not_live,
        not_ready=health.not_ready,
    )
    tasks = [loop_watchdog.run, health.run, heartbeats.run, parts.run, verdicts.run]
    return app, Background(endpoint, tasks, at_end=ownership.close)


def _faust_app(settings: Settings) -> MicroBatchApp:
    return MicroBatchApp(
        settings.namespace,
        broker=[f"aiokafka://{server}" for server in settings.kafka_bootstrap.split(",")],
        store="memory://",
        topic_partitions=settings.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        # Static membership: a worker that is restarted takes its own place again, with nobody waiting for its session
        # to expire. Address and port tell workers of one machine apart; machines must differ in their host name.
        consumer_group_instance_id=f"{socket.gethostname()}-{settings.worker_host}-{settings.worker_port}",
        consumer_auto_offset_reset="earliest",
        ConsumerScheduler=MicroBatches,
        broker_max_poll_records=MICRO_BATCH_RECORDS_MAX,
        consumer_max_fetch_size=FETCH_BYTES_MAX,
        broker_commit_interval=COMMIT_INTERVAL_S,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / HEARTBEATS_A_SESSION,
        stream_buffer_maxsize=MICRO_BATCHES_WAITING_MAX,
        stream_recovery_delay=0.0,
        # Waiting is for acknowledgements that mean nothing here, and collects garbage while it does.
        stream_wait_empty=False,
    )


def _add_agent(app: MicroBatchApp, topic: str, apply: Apply, clock: Clock) -> None:
    """Have every micro-batch of a topic applied, in order, by one agent that never awaits in between."""
    ownership = app.ownership

    async def agent(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            if not ownership.is_whole:
                await ownership.whole()
                if message.generation_id != app.consumer_generation_id:
                    continue  # it was assigned anew meanwhile, and will be read again
            partition = ownership.owned[message.partition].partition
            try:
                apply(event.value, partition, now_ms=clock.now_ms())
            except Exception:  # noqa: BLE001
                # Faust acknowledges what an agent fails on: it must not come to that.
                die(f"a micro-batch of {message.tp} up to offset {message.offset} can't be applied")
            partition.next_offsets[message.topic] = message.offset + 1

    app.agent(app.topic(topic, schema=RawRecords(), allow_empty=True), name=topic)(agent)
