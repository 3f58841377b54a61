"""What a rebuild needs of Kafka, and Kafka itself as it wants it."""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Protocol

from flatline.domain.state.moves import Moves
from flatline.engine.kafka_log import KafkaChangelog, KafkaForwarder
from flatline.engine.log import Changelog, Forwarder, MicroBatch
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.latest_moves import latest_moves
from flatline.readmodel.latest_verdicts import latest_values
from flatline.rebuild.extent import ends_of
from flatline.rebuild.log_reader import read_log
from flatline.schema.topics import Topic, Topics


class BuildingLog(Protocol):
    """The log from which a state is made, and where it is written."""

    @property
    def changelog(self) -> Changelog:
        """That of the new state."""

    @property
    def former(self) -> Changelog:
        """That of the state that serves."""

    @property
    def forwarder(self) -> Forwarder:
        """What writes copies of articles that moved, and tombstones of verdicts."""

    def read(
        self, number: int, *, positions: Mapping[str, int], limits: Mapping[str, int]
    ) -> AsyncIterator[MicroBatch]:
        """Yield the records of one partition of several topics, by topic from its position up to its limit."""

    def end_of(self, topic: Topic, number: int) -> int:
        """Return the offset at which a partition ends."""

    def moves(self) -> Moves:
        """Return all moves that are known now."""

    def former_verdicts(self, number: int) -> Iterable[tuple[bytes, bytes]]:
        """Return key and value of the newest verdict on each article of a partition of the state that serves."""


class KafkaBuildingLog:
    """Kafka as a `BuildingLog`. All of its methods raise KafkaError."""

    def __init__(self, cluster: KafkaCluster, *, former: Topics, topics: Topics) -> None:
        self._cluster = cluster
        self._topics = topics
        self._former = former
        self.changelog = KafkaChangelog(topics.changelog.name, group=topics.group, cluster=cluster)
        self.former = KafkaChangelog(former.changelog.name, group=former.group, cluster=cluster)
        self.forwarder = KafkaForwarder(cluster)

    def read(
        self, number: int, *, positions: Mapping[str, int], limits: Mapping[str, int]
    ) -> AsyncIterator[MicroBatch]:
        """Yield the committed records."""
        return read_log(number, positions=positions, limits=limits, cluster=self._cluster)

    def end_of(self, topic: Topic, number: int) -> int:
        """Return where a reader of committed records finds the end."""
        return ends_of([topic], cluster=self._cluster).offsets[topic.name][number]

    def moves(self) -> Moves:
        """Read the topic of moves."""
        return latest_moves(self._cluster, self._topics)

    def former_verdicts(self, number: int) -> Iterable[tuple[bytes, bytes]]:
        """Read a partition of the topic of verdicts."""
        return latest_values(self._cluster, self._former.verdicts, partition=number).items()

    async def close(self) -> None:
        """Give the connections back."""
        await self.forwarder.close()
