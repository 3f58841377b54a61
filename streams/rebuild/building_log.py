"""What a rebuild needs of Kafka, as a protocol, and its implementation."""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Protocol

from flatline.domain.imports.imports import Imports
from flatline.domain.state.moves import Moves
from flatline.engine.kafka_log import KafkaChangelog, KafkaForwarder
from flatline.engine.log import Changelog, Forwarder, MicroBatch
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.latest_imports import latest_imports
from flatline.readmodel.latest_moves import latest_moves
from flatline.readmodel.latest_verdicts import latest_values
from flatline.rebuild.extent import ends_of
from flatline.rebuild.log_reader import read_log
from flatline.schema.topics import Topic, Topics


class BuildingLog(Protocol):
    """The log that a state is built from, and the changelog that it is written to."""

    @property
    def changelog(self) -> Changelog:
        """The changelog of the new state."""

    @property
    def former(self) -> Changelog:
        """The changelog of the state in use."""

    @property
    def forwarder(self) -> Forwarder:
        """Writes copies of articles that moved, and tombstones of verdicts."""

    def read(
        self, number: int, *, positions: Mapping[str, int], limits: Mapping[str, int]
    ) -> AsyncIterator[MicroBatch]:
        """Yield the records of one partition of several topics, for each topic from its position up to its limit."""

    def end_of(self, topic: Topic, number: int) -> int:
        """Return the offset at which a partition ends."""

    def moves(self) -> Moves:
        """Return all moves that are known at this time."""

    def imports(self) -> Imports:
        """Return all imports that are recognised at this time."""

    def former_verdicts(self, number: int) -> Iterable[tuple[bytes, bytes]]:
        """Return key and value of the newest verdict on each article of a partition of the state in use."""


class KafkaBuildingLog:
    """A `BuildingLog` in Kafka. All its methods raise KafkaError."""

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

    def imports(self) -> Imports:
        """Read the topic of imports."""
        return latest_imports(self._cluster, self._topics)

    def former_verdicts(self, number: int) -> Iterable[tuple[bytes, bytes]]:
        """Read a partition of the topic of verdicts."""
        return latest_values(self._cluster, self._former.verdicts, partition=number).items()

    async def close(self) -> None:
        """Give the connections back."""
        await self.forwarder.close()
