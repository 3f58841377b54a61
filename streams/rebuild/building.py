"""Builds a state from the log, partition by partition, while another state is in use.

The agents of the worker apply the records, up to the offsets that the state in use has committed. The workers read
what comes later. Dead letters and misplaced records are dropped here, because the workers have dealt with them. Nothing
is judged. A commit covers offsets and state, so an interrupted build continues where it stopped.

The state of addresses that moved to another partition is copied there through a topic of the new state, and joined. A
worker that switches to the new state therefore finds complete articles, and does not withdraw their verdicts.
"""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Final

from prometheus_client import CollectorRegistry

from flatline.agents.imports import ImportRecogniser
from flatline.agents.input_agents import input_agents
from flatline.clock import Clock
from flatline.domain.imports.counts import ImportCounts
from flatline.domain.policy.policy import Policy
from flatline.domain.state.addresses import Addresses
from flatline.domain.state.moves import Moves
from flatline.engine.log import Outgoing
from flatline.engine.task import Task
from flatline.metrics import WorkerMetrics
from flatline.rebuild.building_log import BuildingLog
from flatline.rebuild.carrying import Carried, begin_with, carry_over
from flatline.rebuild.extent import Committed
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import Topics

RECORDS_A_COMMIT: Final = 200_000


class Builder:
    """Brings a new state up to the offsets that the state in use has committed.

    ``former``      the topics of the state in use
    ``topics``      the topics of the new state
    ``core``        the native core, if it is to read link records
    ``on_records``  called with the number of records of each batch that was read
    ``is_unread``   no worker has read the log: dead letters and records for other partitions are written, too
    """

    def __init__(
        self,
        building_log: BuildingLog,
        *,
        former: Topics,
        topics: Topics,
        policy: Policy,
        core: ModuleType | None,
        clock: Clock,
        on_records: Callable[[int], None],
        is_unread: bool = False,
    ) -> None:
        self._log = building_log
        self._is_unread = is_unread
        self._former = former
        self._topics = topics
        self._clock = clock
        self._on_records = on_records
        self._gone: dict[int, list[bytes]] = {}
        self._metrics = metrics = WorkerMetrics(CollectorRegistry())
        self._agents = input_agents(topics=topics, metrics=metrics, core=core, ignored=policy.ignored)

    async def build(self, limits: Committed) -> int:
        """Bring each partition up to the limits; return the number of offsets that this took.

        Only one partition is in memory at a time. Raises KafkaError, UnknownFormatError, and FencedError if another
        process builds the same state.
        """
        moves, offsets = self._log.moves(), 0
        recogniser = ImportRecogniser(
            topics=self._topics, counts=ImportCounts(), imports=self._log.imports(), metrics=self._metrics
        )
        unknown: dict[int, dict[bytes, Carried]] = {}
        for number in range(self._topics.changelog.partitions):
            offsets += await self._build(number, limits.of(number), moves, recogniser, unknown)
        # When all partitions have said what moved away from them.
        for number, articles in unknown.items():
            await self._complete(number, articles, moves)
        return offsets

    async def take_back_verdicts(self, *, is_left_out: Callable[[bytes], bool] = lambda _key: False) -> None:
        """Delete the verdicts on articles that the new state does not have. Raises KafkaError.

        ``is_left_out``: of keys that must not be written, even to say that their verdicts are gone
        """
        await self._log.forwarder.forward(
            Outgoing(self._topics.verdicts.name, number, key, None)
            for number, keys in self._gone.items()
            for key in keys
            if not is_left_out(key)
        )

    async def _build(
        self,
        number: int,
        limits: Mapping[str, int],
        moves: Moves,
        recogniser: ImportRecogniser,
        unknown: dict[int, dict[bytes, Carried]],
    ) -> int:
        """Bring one partition up to the limits; add to ``unknown`` the articles that only the state in use has."""
        task = Task(number, self._log.changelog, self._topics.copies)
        try:
            await task.restore()
            begun = {topic: position for topic, (position, _) in task.articles.positions.items()}
            read = {topic: limit for topic, limit in limits.items() if topic in self._agents}
            await self._apply(task, read, recogniser)
            numbers = self._former_partitions(number)
            carried = await carry_over(task.articles, numbers, building_log=self._log, moves=moves)
            # Those of other partitions are not meant.
            partitions = self._topics.changelog.partitions
            unknown[number] = {key: each for key, each in carried.items() if partition_of(key, partitions) == number}
            await task.commit(self._log.forwarder)
            return sum(max(0, limit - begun.get(topic, 0)) for topic, limit in read.items())
        finally:
            await task.close()

    async def _complete(self, number: int, unknown: dict[bytes, Carried], moves: Moves) -> None:
        """Join the copies that were sent to a partition. ``unknown`` articles that get none are gone."""
        self._gone[number] = list(unknown)
        if moves.is_empty:
            return
        task, copies = Task(number, self._log.changelog, self._topics.copies), self._topics.copies
        try:
            await task.restore()
            await self._apply(task, {copies.name: self._log.end_of(copies, number)}, None)
            addresses = Addresses()
            addresses.follow(moves, task.articles)
            for key, carried in unknown.items():
                if addresses.former(key) and key not in task.articles:
                    begin_with(task.articles, key, carried, now_ms=self._clock.now_ms())
            self._gone[number] = [key for key in unknown if key not in task.articles]
            await task.commit(self._log.forwarder)
        finally:
            await task.close()

    async def _apply(self, task: Task, limits: Mapping[str, int], recogniser: ImportRecogniser | None) -> None:
        """Apply the records of a partition, for each topic from the task's position up to the limit.

        What is counted of imports is published after each batch: later ones displace the links that it had.
        """
        articles, uncommitted = task.articles, 0
        positions = {topic: position for topic, (position, _) in articles.positions.items()}
        async for batch in self._log.read(task.number, positions=positions, limits=limits):
            self._agents[batch.topic].apply(batch, articles, now_ms=self._clock.now_ms())
            if not self._is_unread:
                articles.dead_letters, articles.forwarded = [], []
            task.applied(batch.topic, batch.next_offset)
            if recogniser is not None:
                recogniser.advance(task)
            self._on_records(len(batch.records))
            uncommitted += len(batch.records)
            if uncommitted >= RECORDS_A_COMMIT:
                await task.commit(self._log.forwarder)
                uncommitted = 0

    def _former_partitions(self, number: int) -> range:
        """Return the partitions of the state in use that may hold articles of a partition of the new state."""
        is_same = self._former.layout == self._topics.layout
        return range(number, number + 1) if is_same else range(self._former.layout.partitions)
