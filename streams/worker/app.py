"""The worker, put together: settings in, a running Faust app out."""

import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, NoReturn
from zlib import crc32

from faust import streams as faust_streams
from faust.worker import Worker as FaustWorker
from mode import Service
from prometheus_client import CollectorRegistry

from flatline.agents.former_topics import FormerTopicForwarder, routes
from flatline.agents.global_tables import GlobalTables
from flatline.agents.imports import ImportRecogniser
from flatline.agents.input_agents import input_agents
from flatline.agents.judge import Judge
from flatline.agents.survey import Surveyor
from flatline.agents.topic_reader import TopicReader
from flatline.clock import clock_from
from flatline.core import Core, core_in_use, native_core
from flatline.discovery.discovery import Discovery
from flatline.engine.app import MicroBatchApp
from flatline.engine.assignment import Assignment
from flatline.engine.batch_writer import NO_LIMITS
from flatline.engine.kafka_log import BATCH_BYTES_MAX, KafkaChangelog, KafkaForwarder
from flatline.engine.log import RebalanceListener
from flatline.engine.micro_batch import MicroBatches, RawRecords
from flatline.engine.unsafe_exit import exit_unsafe
from flatline.engine.watchdog import LoopWatchdog
from flatline.errors import FlatlineError
from flatline.generations import topics_of, topics_of_layout
from flatline.http import Endpoint
from flatline.kafka.faust_clients import faust_settings
from flatline.metrics import Gauges, WorkerMetrics
from flatline.policy_file import load_policy
from flatline.process_metrics import register_process
from flatline.schema.generation import Generation
from flatline.schema.topics import DEAD_LETTER_BYTES_MAX, Topic, Topics
from flatline.settings import Settings
from flatline.worker.health import Health
from flatline.worker.lag import Lag
from flatline.worker.loop import Worker
from flatline.worker.newer_generation import NewerGeneration
from flatline.worker.scrape import Scrape

HEARTBEATS_A_SESSION: Final = 6
REQUEST_TIMEOUT_S_MIN: Final = 90.0  # Faust's own default
MICRO_BATCH_RECORDS_MAX: Final = 12_000
MICRO_BATCHES_WAITING_MAX: Final = 4
FETCH_BYTES_MAX: Final = 8 << 20
# Python's collector looks at what is new, at most 25,000 objects in one piece (20 ms), and never at what is left of it
# after two looks. At a million articles that took 0.9 s, in which the event loop stood. All that is kept by the million
# is freed without the collector, as it is part of no circle; a circle that forms of something old is never freed.
COLLECTOR_THRESHOLDS: Final = (5_000, 3, 1_000_000_000)


log = logging.getLogger("flatline.worker")

Run = Callable[[], Coroutine[Any, Any, None]]


class UnfitError(FlatlineError):
    """This installation can't run a worker."""

    remedy = "`flatline doctor` says what is missing on this machine."


class Background(Service):
    """What runs beside the streams, from the start of the worker to its end."""

    def __init__(self, endpoint: Endpoint, runs: Sequence[Run], *, at_end: Sequence[Run]) -> None:
        super().__init__()
        self._endpoint = endpoint
        self._runs = runs
        self._at_end = at_end

    async def on_start(self) -> None:
        """Listen, then start what runs."""
        await self._endpoint.start()
        for run in self._runs:
            self.add_future(run())

    async def on_stop(self) -> None:
        """Listen no more, and do what is to be done at the end, in order."""
        await self._endpoint.stop()
        for run in self._at_end:
            await run()


class Assembly(NamedTuple):
    """Everything one worker consists of. ``app`` and ``background`` are to be started together."""

    app: MicroBatchApp
    background: Background
    assignment: Assignment
    worker: Worker
    newer_generation: NewerGeneration


def run_worker(settings: Settings, generation: Generation, *, bytes_max: Mapping[str, int] = NO_LIMITS) -> None:
    """Run a worker until it is told to stop; ends the process. Raises UnfitError, PolicyError and NoNativeCoreError.

    ``bytes_max``: by topic, how large a batch it takes.

    When another generation of the state begins to serve, the process starts itself anew for that one.
    """
    if getattr(faust_streams, "_CStreamIterator", None) is None:
        raise UnfitError(
            "Faust's compiled streams are missing, and its Python ones acknowledge what they have not seen.",
            remedy="Install faust-streaming from a wheel, or with a C compiler at hand.",
        )
    assembly = assemble(settings, generation, bytes_max=bytes_max)
    gc.set_threshold(*COLLECTOR_THRESHOLDS)
    services = (assembly.app, assembly.background)
    faust_worker = FaustWorker(*services, quiet=True, override_logging=False, redirect_stdouts=False)
    faust_worker.spinner = None
    log.info("link records are read by the core: %s", core_in_use(settings.core))
    log.info("metrics and health: %s://%s:%d", settings.scheme, settings.worker_host, settings.worker_port)
    try:
        faust_worker.execute_from_commandline()
    except SystemExit:
        if not assembly.newer_generation.has_come:
            raise
    _start_anew(settings)


def _start_anew(settings: Settings) -> NoReturn:
    environment = {**os.environ, "FLATLINE_WORKER_PORT": str(settings.worker_port)}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - this very program


def assemble(settings: Settings, generation: Generation, *, bytes_max: Mapping[str, int] = NO_LIMITS) -> Assembly:
    """Build everything one worker consists of. Raises PolicyError and NoNativeCoreError."""
    policy = load_policy(settings.policy_file)
    topics, clock = topics_of(settings, generation), clock_from(settings)
    newer_generation = NewerGeneration(generation, end=lambda: os.kill(os.getpid(), signal.SIGTERM))
    metrics = WorkerMetrics(CollectorRegistry())
    cluster = settings.cluster

    small = {topic: limit for topic, limit in bytes_max.items() if limit < BATCH_BYTES_MAX}
    changelog = KafkaChangelog(topics.changelog.name, group=topics.group, cluster=cluster, bytes_max=small)
    forwarder = KafkaForwarder(cluster, bytes_max=small)
    letter_bytes_max = bytes_max.get(topics.dead_letters.name, DEAD_LETTER_BYTES_MAX)
    assignment = Assignment(
        changelog, forwarder, end=exit_unsafe, copies=topics.copies, letter_bytes_max=letter_bytes_max
    )
    app = _faust_app(settings, topics, assignment)
    lag = Lag(topics=topics, assignment=assignment, consumer=app)

    tables = GlobalTables(topics)
    receivers = {**tables.receivers, topics.generations: newer_generation.receive}
    readers = {
        topic.name: TopicReader(
            cluster=cluster, topic=topic, receive=receive, on_unreadable=metrics.unreadable.labels(topic.name).inc
        )
        for topic, receive in receivers.items()
    }
    read_first = [readers[topic.name] for topic in (topics.moves, topics.sites, topics.alert_marks, topics.imports)]

    core = native_core(settings.core)
    surveyor = Surveyor(
        topics=topics, thresholds=policy.default, group_totals=tables.group_totals, groups=tables.groups
    )
    worker = Worker(
        assignment=assignment,
        agents=input_agents(topics=topics, metrics=metrics, core=core, ignored=policy.ignored),
        judge=Judge(
            topics=topics,
            policy=policy,
            group_totals=tables.group_totals,
            surveyor=surveyor,
            moves=tables.moves,
            retirements=tables.retirements,
            imports=tables.imports,
        ),
        surveyor=surveyor,
        sources=tables.sources,
        group_verdicts=readers[topics.groups.name],
        read_first=read_first,
        recogniser=ImportRecogniser(
            topics=topics, counts=tables.import_counts, imports=tables.imports, metrics=metrics
        ),
        lag=lag,
        clock=clock,
        metrics=metrics,
        end=exit_unsafe,
    )
    for topic in topics.inputs:
        _deliver(app, topic, worker)

    health = Health(assignment=assignment, worker=worker, lag=lag, end=exit_unsafe)
    loop_watchdog = LoopWatchdog(limit_s=settings.session_timeout_s / 2)
    scrape = Scrape(
        settings=settings.model_copy(update={"partitions": topics.layout.partitions}),
        core=Core.PYTHON if core is None else Core.NATIVE,
        assignment=assignment,
        worker=worker,
        surveyor=surveyor,
        sources=tables.sources,
        lag=lag,
        health=health,
        loop_watchdog=loop_watchdog,
        clock=clock,
        sites=tables.sites,
        sites_read=readers[topics.sites.name],
    )
    register_process(metrics.registry)
    metrics.registry.register(Gauges(scrape.snapshot))
    discovery = Discovery(settings, topics, role="worker", host=settings.worker_host, port=settings.worker_port)
    endpoint = Endpoint(
        host=settings.worker_host,
        port=settings.worker_port,
        registry=metrics.registry,
        not_live=health.not_live,
        not_ready=health.not_ready,
        discovery=discovery.answer,
        tls=settings.server_context,
    )
    former = [topics_of_layout(settings, layout) for layout in generation.former_layouts]
    to_follow = {name: route for each in former for name, route in routes(each, topics).items()}
    follow = FormerTopicForwarder(cluster=settings.cluster, topics=topics, routes=to_follow)
    listening = [reader.run for reader in readers.values()]
    found = [discovery.reads, discovery.announces]
    runs = [loop_watchdog.run, health.run, *listening, *[follow.run] * bool(to_follow), *found, worker.run]
    background = Background(endpoint, runs, at_end=[discovery.end, assignment.close, forwarder.close])
    return Assembly(app, background, assignment, worker, newer_generation)


def _faust_app(settings: Settings, topics: Topics, listener: RebalanceListener) -> MicroBatchApp:
    return MicroBatchApp(
        topics.group,
        listener=listener,
        owned_by=topics.links.name,
        **faust_settings(settings.cluster),
        store="memory://",
        topic_partitions=topics.layout.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        # Static membership: a worker that is restarted takes its own place again, with nobody waiting for its session
        # to expire. Address and port tell workers of one machine apart; machines must differ in their host name.
        # A version that reads other topics takes a new place: in the old one it would not be assigned the others.
        consumer_group_instance_id=(
            f"{socket.gethostname()}-{settings.worker_host}-{settings.worker_port}-{_fingerprint(topics.inputs)}"
        ),
        consumer_auto_offset_reset="earliest",
        ConsumerScheduler=MicroBatches,
        broker_max_poll_records=MICRO_BATCH_RECORDS_MAX,
        consumer_max_fetch_size=FETCH_BYTES_MAX,
        broker_session_timeout=settings.session_timeout_s,
        broker_request_timeout=max(REQUEST_TIMEOUT_S_MIN, settings.session_timeout_s),  # Faust takes no shorter one
        broker_heartbeat_interval=settings.session_timeout_s / HEARTBEATS_A_SESSION,
        stream_buffer_maxsize=MICRO_BATCHES_WAITING_MAX,
        stream_recovery_delay=0.0,
        # Waiting is for acknowledgements that mean nothing here, and collects garbage while it does.
        stream_wait_empty=False,
    )


def _fingerprint(topics: Iterable[Topic]) -> str:
    """Return a short name of what a worker reads, the same in every process."""
    return f"{crc32(' '.join(sorted(topic.name for topic in topics)).encode()):08x}"


def _deliver(app: MicroBatchApp, topic: Topic, worker: Worker) -> None:
    """Have every micro-batch of a topic delivered to the worker, in order, by one agent."""

    async def agent(stream: Any) -> None:
        async for event in stream.events():
            await worker.deliver(event.value, generation=event.message.generation_id)

    app.agent(app.topic(topic.name, schema=RawRecords(), allow_empty=True), name=topic.name)(agent)
