"""A worker without Kafka: every agent, the judgement and the metrics, over one partition."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, generate_latest

from streams.agents.accumulate import Accumulate
from streams.agents.judge import Judge
from streams.agents.listen import Listen, hear_heartbeats
from streams.agents.register import Register
from streams.agents.survey import Groups, Surveyor
from streams.agents.visits import CountVisits
from streams.domain.groups.census import Census
from streams.domain.policies import Policies
from streams.domain.sight.sources import Sources
from streams.domain.watch_list import WatchList
from streams.engine.log import MicroBatch, Outgoing
from streams.engine.partition import Partition
from streams.metrics import Gauges, Snapshot, WorkerMetrics
from streams.schema.topics import Topic, Topics


class Read(NamedTuple):
    """A record as the Kafka client gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class LoneWorker:
    """The owner of partition 0, whose clock is turned by hand.

    ``written``    by topic, all that its commits wrote
    ``forwarded``  what they sent on to other partitions
    ``changelog``  what a worker that takes over reads
    """

    def __init__(self, topics: Topics, *, now_ms: int) -> None:
        self.topics = topics
        self.ms = now_ms
        self.registry = CollectorRegistry()
        self.metrics = WorkerMetrics(self.registry)
        agents = {"topics": topics, "metrics": self.metrics}
        self._applying = {
            topics.links.name: Accumulate(**agents),
            topics.articles.name: Register(**agents),
            topics.visits.name: CountVisits(**agents),
        }
        self._offsets: Counter[str] = Counter()
        self._heard: dict[str, list[Read]] = {}
        self.changelog: dict[bytes, bytes] = {}
        self.written: dict[str, list[Outgoing]] = {topic.name: [] for topic in topics.all()}
        self.forwarded: list[Outgoing] = []
        self.registry.register(Gauges(self._snapshot))
        self.start()

    def now_ms(self) -> int:
        """Return what it was set to."""
        return self.ms

    def wall_ms(self, duration_ms: int) -> int:
        """Return ``duration_ms``."""
        return duration_ms

    def start(self) -> None:
        """Become a worker that knows what the changelog, and the topics that are read whole, hold."""
        topics, policies = self.topics, Policies()
        self.partition = Partition()
        for key, value in self.changelog.items():
            self.partition.restore(key, value)
        self.sources, self.census, self.groups = Sources(), Census(topics.links.partitions), Groups()
        self.watch_list = WatchList(10)
        self.surveyor = Surveyor(topics=topics, policy=policies.default, census=self.census, groups=self.groups)
        self.judge = Judge(
            topics=topics,
            clock=self,
            policies=policies,
            sources=self.sources,
            watch_list=self.watch_list,
            census=self.census,
            surveyor=self.surveyor,
        )
        self.judge.assigned({0: self.partition}, frozenset({0}))
        hearing = {
            topics.heartbeats: hear_heartbeats(self.sources),
            topics.group_parts: self.census.hear_record,
            topics.groups: self.groups.hear,
        }
        self._listening = {topic.name: Listen(bootstrap="", topic=topic, hear=hear) for topic, hear in hearing.items()}
        for name, records in self._heard.items():
            self._listening[name]._take(records)

    def take(self, topic: Topic, records: Iterable[Outgoing]) -> list[Read]:
        """Have records of a topic read, and return them as they were."""
        batch = []
        for record in records:
            at_ms = self.ms if record.timestamp_ms is None else record.timestamp_ms
            batch.append(Read(self._offsets[topic.name], at_ms, record.key, record.value, record.headers))
            self._offsets[topic.name] += 1
        if topic.name in self._applying:
            self._applying[topic.name].apply(MicroBatch(topic.name, 0, batch), self.partition, now_ms=self.ms)
        else:
            self._heard.setdefault(topic.name, []).extend(batch)
            self._listening[topic.name]._take(batch)
        return batch

    def commit(self) -> None:
        """Judge, and write all that there is to write; what is written into topics that all read whole, is heard."""
        partition = self.partition
        said = list(self.judge.settle(0, partition))
        outgoing = [*said, *partition.dead_letters]
        self.forwarded += partition.forwarded
        partition.dead_letters, partition.forwarded = [], []
        changes = partition.take_changes()
        self.changelog.update(changes)
        changelog = self.topics.changelog.name
        for record in [*outgoing, *(Outgoing(changelog, 0, key, value) for key, value in changes)]:
            self.written[record.topic].append(record)
        for topic in (self.topics.group_parts, self.topics.groups):
            self.take(topic, [record for record in said if record.topic == topic.name])

    def scrape(self) -> str:
        """Return what Prometheus reads."""
        return generate_latest(self.registry).decode()

    def _snapshot(self) -> Snapshot:
        here = frozenset({0})
        left_out_registered, left_out_found = self.watch_list.left_out()
        return Snapshot(
            tally=self.judge.dockets[0].tally,
            windows=self.surveyor.windows(here),
            watched=self.watch_list.chosen(),
            watch_list_capacity=self.watch_list.size,
            left_out_registered=left_out_registered,
            left_out_found=left_out_found,
            groups=self.surveyor.owned(here),
            cohorts=self.surveyor.cohorts(here, months=10, strategies=10),
            freshness=self.sources.freshness(self.ms),
            rhythms=self.sources.rhythms(),
        )
