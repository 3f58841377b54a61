"""A state made from the log, partition by partition, while another one serves.

It is made by the very agents that make the one that serves, from what that has committed and no further: what comes
after that is left to the workers. So dead letters and records that belong elsewhere, which they have dealt with, are
dropped here. Nothing is judged. A commit covers offsets and state, so what was interrupted goes on where it was.
"""

from collections.abc import Callable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry

from flatline.agents.accumulate import Accumulate
from flatline.agents.register import Register
from flatline.agents.remove import Remove
from flatline.agents.visits import CountVisits
from flatline.clock import Clock
from flatline.domain.policy.policy import Policy
from flatline.engine.kafka_log import KafkaChangelog, KafkaForwarder
from flatline.engine.log import Outgoing
from flatline.engine.task import Task
from flatline.kafka.cluster import KafkaCluster
from flatline.metrics import WorkerMetrics
from flatline.rebuild.carrying import carry_over
from flatline.rebuild.extent import Committed
from flatline.rebuild.log_reader import read_log
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import Topics

RECORDS_A_COMMIT: Final = 200_000


class Builder:
    """Brings a new state up to what the one that serves has committed.

    ``former``    the topics of the state that serves
    ``topics``    those of the new one
    ``on_records``  is told of every number of records that was read
    """

    def __init__(
        self,
        *,
        cluster: KafkaCluster,
        former: Topics,
        topics: Topics,
        policy: Policy,
        clock: Clock,
        on_records: Callable[[int], None],
    ) -> None:
        self._cluster = cluster
        self._former = former
        self._topics = topics
        self._clock = clock
        self._on_records = on_records
        self._gone: dict[int, list[bytes]] = {}
        metrics = WorkerMetrics(CollectorRegistry())
        self._agents = {
            topics.links.name: Accumulate(topics=topics, metrics=metrics, ignored=policy.ignored),
            topics.articles.name: Register(topics=topics, metrics=metrics),
            topics.visits.name: CountVisits(topics=topics, metrics=metrics),
            topics.removals.name: Remove(topics=topics, metrics=metrics),
        }
        self._changelog = KafkaChangelog(topics.changelog.name, group=topics.group, cluster=self._cluster)

    async def build(self, limits: Committed) -> int:
        """Bring each partition up to the limits; return how many offsets that were. Copies of articles are left out.

        One partition at a time is in memory. Raises KafkaError, UnknownFormatError, and FencedError where somebody
        else builds the same state.
        """
        return sum(
            [await self._build(number, limits.of(number)) for number in range(self._topics.changelog.partitions)]
        )

    async def take_back_verdicts(self) -> None:
        """Take back what was said of articles that the new state does not know. Raises KafkaError."""
        forwarder = KafkaForwarder(self._cluster)
        try:
            await forwarder.forward(
                Outgoing(self._topics.verdicts.name, number, key, None)
                for number, keys in self._gone.items()
                for key in keys
            )
        finally:
            await forwarder.close()

    async def _build(self, number: int, limits: Mapping[str, int]) -> int:
        task, forwarder = Task(number, self._changelog), KafkaForwarder(self._cluster)
        try:
            await task.restore()
            articles = task.articles
            positions = {topic: position for topic, (position, _) in articles.positions.items()}
            uncommitted = 0
            read = {topic: limit for topic, limit in limits.items() if topic in self._agents}
            async for batch in read_log(number, positions=positions, limits=read, cluster=self._cluster):
                self._agents[batch.topic].apply(batch, articles, now_ms=self._clock.now_ms())
                articles.dead_letters, articles.forwarded = [], []
                task.applied(batch.topic, batch.next_offset)
                self._on_records(len(batch.records))
                uncommitted += len(batch.records)
                if uncommitted >= RECORDS_A_COMMIT:
                    await task.commit(forwarder)
                    uncommitted = 0
            for topic in limits.keys() - read.keys():
                task.applied(topic, limits[topic])  # of the former state: the new one makes its own
            numbers = self._former_partitions(number)
            gone = await carry_over(articles, numbers, former=self._former, cluster=self._cluster)
            # Copies of articles that lie elsewhere are not meant, nor articles of other partitions.
            partitions = self._topics.changelog.partitions
            self._gone[number] = [key for key in gone if partition_of(key, partitions) == number]
            await task.commit(forwarder)
            return sum(max(0, limit - positions.get(topic, 0)) for topic, limit in read.items())
        finally:
            await task.close()

    def _former_partitions(self, number: int) -> range:
        """Return the partitions of the state that serves on which articles of a partition may lie."""
        is_same = self._former.layout == self._topics.layout
        return range(number, number + 1) if is_same else range(self._former.layout.partitions)
