"""A worker with everything but Kafka: it owns partition 0, and its clock is turned by hand."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Final, NamedTuple, Self

from prometheus_client import CollectorRegistry, generate_latest

from flatline.agents.global_tables import GlobalTables
from flatline.agents.input_agents import input_agents
from flatline.agents.judge import Judge
from flatline.agents.survey import Surveyor
from flatline.agents.topic_reader import TopicReader
from flatline.core import Core, core_in_use, native_core
from flatline.domain.policy.policy import Policy
from flatline.engine.assignment import Assignment
from flatline.engine.log import MicroBatch, Outgoing, Record
from flatline.engine.partition import Partition
from flatline.engine.watchdog import LoopWatchdog
from flatline.kafka.cluster import KafkaCluster
from flatline.metrics import Gauges, WorkerMetrics
from flatline.schema.topics import Topic, Topics
from flatline.settings import Settings
from flatline.worker.health import Health
from flatline.worker.lag import Lag
from flatline.worker.loop import Worker
from flatline.worker.scrape import Scrape
from tests.engine.stand_ins import Ending, StandInChangelog, StandInConsumer, StandInForwarder

GENERATION: Final = 1
_SETTINGS: Final = Settings()


class Read(NamedTuple):
    """A record as the Kafka client gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class _Everything:
    """Has read its whole topic."""

    is_current = True


class LoneWorker:
    """For the time of the block. Whatever would end a worker raises `EndedError`.

    ``changelog``  what it wrote: in ``written`` all but the state
    ``forwarder``  what it sent on to other partitions
    ``sites_read``  has read all site records, unless a test says otherwise
    """

    def __init__(self, topics: Topics, *, now_ms: int) -> None:
        self.topics = topics
        self.ms = now_ms
        self.changelog, self.forwarder = StandInChangelog(), StandInForwarder()
        self.changelog.topic = topics.changelog.name
        self._offsets: Counter[str] = Counter()
        self._unread: dict[str, list[Read]] = {}
        self._runner = asyncio.Runner()
        self.sites_read = _Everything()

    def __enter__(self) -> Self:
        self._runner.__enter__()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._assignment.close())
        self._runner.__exit__(kind, error, trace)

    def now_ms(self) -> int:
        """Return what it was set to."""
        return self.ms

    def start(self) -> None:
        """Become a new worker, which knows what the changelog, and the topics that are read whole, hold."""
        topics, policy = self.topics, Policy()
        self.registry = CollectorRegistry()
        metrics = WorkerMetrics(self.registry)
        end = Ending()
        self._assignment = Assignment(self.changelog, self.forwarder, end=end, copies=topics.copies)
        lag = Lag(topics=topics, assignment=self._assignment, consumer=StandInConsumer())
        tables = GlobalTables(topics)
        surveyor = Surveyor(
            topics=topics, thresholds=policy.default, group_totals=tables.group_totals, groups=tables.groups
        )
        self._worker = Worker(
            assignment=self._assignment,
            agents=input_agents(topics=topics, metrics=metrics, core=native_core(Core.AUTO)),
            judge=Judge(
                topics=topics,
                policy=policy,
                group_totals=tables.group_totals,
                surveyor=surveyor,
                moves=tables.moves,
                retirements=tables.retirements,
            ),
            surveyor=surveyor,
            sources=tables.sources,
            group_verdicts=_Everything(),
            read_first=(_Everything(),),
            lag=lag,
            clock=self,
            metrics=metrics,
            end=end,
        )
        scrape = Scrape(
            settings=_SETTINGS,
            core=core_in_use(Core.AUTO),
            assignment=self._assignment,
            worker=self._worker,
            surveyor=surveyor,
            sources=tables.sources,
            lag=lag,
            health=Health(assignment=self._assignment, worker=self._worker, lag=lag, end=end),
            loop_watchdog=LoopWatchdog(limit_s=1.0),
            clock=self,
            sites=tables.sites,
            sites_read=self.sites_read,
        )
        self.registry.register(Gauges(scrape.snapshot))
        self._listening = {
            topic.name: TopicReader(cluster=KafkaCluster(""), topic=topic, receive=receive)
            for topic, receive in tables.receivers.items()
        }
        for name, records in self._unread.items():
            self._listening[name]._take(records)
        self._runner.run(self._take_over())

    async def _take_over(self) -> None:
        self._assignment.assigned(frozenset({0}), generation=GENERATION)
        await self._assignment.task_of(0, generation=GENERATION)

    @property
    def partition(self) -> Partition:
        """The articles."""
        return self._assignment.tasks[0].articles

    @property
    def written(self) -> Mapping[str, list[Outgoing]]:
        """By topic, everything that it wrote."""
        written: dict[str, list[Outgoing]] = {topic.name: [] for topic in self.topics.all()}
        for record in self.changelog.written:
            written[record.topic].append(record)
        changelog = self.topics.changelog.name
        written[changelog] = [Outgoing(changelog, 0, key, value) for key, value in self.changelog.records[0]]
        return written

    def take(self, topic: Topic, records: Iterable[Outgoing]) -> list[Read]:
        """Have records of a topic read, and return them as they were read."""
        batch = []
        for record in records:
            at_ms = self.ms if record.timestamp_ms is None else record.timestamp_ms
            batch.append(Read(self._offsets[topic.name], at_ms, record.key, record.value, record.headers))
            self._offsets[topic.name] += 1
        if topic.name in self._listening:
            self._unread.setdefault(topic.name, []).extend(batch)
            self._listening[topic.name]._take(batch)
        else:
            self.deliver(topic, batch)
        return batch

    def deliver(self, topic: Topic, records: Sequence[Record]) -> None:
        """Have a micro-batch applied as it is."""
        self._runner.run(self._worker.deliver(MicroBatch(topic.name, 0, records), generation=GENERATION))

    def judge_all(self) -> None:
        """Commit until nothing is left to judge: a slow machine needs several commits."""
        while not self.commit():
            pass

    def commit(self) -> bool:
        """Judge and commit; what is written into topics that every worker reads whole is received.

        Return whether nothing was left to judge.
        """
        before = len(self.changelog.written)
        is_all_judged = self._runner.run(self._worker.commit())
        written = self.changelog.written[before:]
        for topic in (self.topics.group_parts, self.topics.groups):
            self.take(topic, [record for record in written if record.topic == topic.name])
        return is_all_judged

    def scrape(self) -> str:
        """Return what Prometheus reads."""
        return generate_latest(self.registry).decode()
