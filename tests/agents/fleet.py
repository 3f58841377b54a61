"""Two workers that share three partitions, without Kafka: everything happens when a test says so.

The log is lists; a task, its changelog, its agents and the judge are the real ones. What a worker has read of moves is
its own, and gone when it crashes.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry

from flatline.agents.imports import ImportRecogniser
from flatline.agents.input_agents import input_agents
from flatline.agents.judge import Judge
from flatline.agents.record_agent import RecordAgent
from flatline.agents.survey import GroupVerdicts, Surveyor
from flatline.core import Core, native_core
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.imports.counts import ImportCounts
from flatline.domain.imports.imports import Imports
from flatline.domain.policy.policy import Policy
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.sites import Sites
from flatline.domain.state.moves import Moves
from flatline.domain.visibility.visibility import Visibility
from flatline.engine.log import MicroBatch, Outgoing
from flatline.engine.task import Task
from flatline.metrics import WorkerMetrics
from flatline.schema import codec
from flatline.schema.topics import Topic, Topics
from flatline.schema.verdict import Verdict
from tests.agents.judging import judge_all
from tests.agents.lone_worker import Read
from tests.engine.stand_ins import StandInChangelog, StandInForwarder

PARTITIONS: Final = 3
WORKER_OF: Final = (0, 1, 1)  # by partition


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Fleet:
    """Workers, their topics, and what they said."""

    def __init__(self, *, now_ms: int, links_bring_back: bool = False) -> None:
        self.now_ms = now_ms
        self.topics = Topics(partitions=PARTITIONS)
        self.changelog = StandInChangelog()
        self.log: defaultdict[Place, list[Read]] = defaultdict(list)
        self.policy = Policy(links_bring_back=links_bring_back)
        self._forwarder = StandInForwarder()
        self._applied: dict[tuple[int, Place], int] = {}
        self._agents = self._new_agents()
        self._sites = [Sites(), Sites()]
        self._moves = [Moves(sites=sites) for sites in self._sites]
        self._read = [Counter[str](), Counter[str]()]  # of small topics, by worker
        self.imports = [Imports(), Imports()]
        self._counts = [ImportCounts(), ImportCounts()]
        self.tasks: dict[int, Task] = {}

    def _new_agents(self) -> dict[str, RecordAgent]:
        metrics = WorkerMetrics(CollectorRegistry())
        return input_agents(topics=self.topics, metrics=metrics, core=native_core(Core.AUTO))

    async def start(self) -> None:
        """Have every partition owned."""
        for partition in range(PARTITIONS):
            await self._take_over(partition)

    async def _take_over(self, partition: int) -> None:
        task = self.tasks[partition] = Task(partition, self.changelog, self.topics.copies)
        await task.restore()
        self._applied = {place: at for place, at in self._applied.items() if place[0] != partition}

    def produce(self, place: Place, key: bytes | None, value: bytes | None, *, recorded_ms: int) -> None:
        """Append a record."""
        records = self.log[place]
        records.append(Read(len(records), recorded_ms, key, value))

    def deliver(self, topic: str, partition: int, records: int) -> bool:
        """Apply the next records of a partition; return whether there were any."""
        task, place = self.tasks[partition], Place(topic, partition)
        committed = self.changelog.offsets.get((topic, partition))
        at = self._applied.get((partition, place), committed.next_offset if committed else 0)
        batch = MicroBatch(topic, partition, self.log[place][at : at + records])
        if not batch.records:
            return False
        self._agents[topic].apply(batch, task.articles, now_ms=self.now_ms)
        task.applied(topic, batch.next_offset)
        self._applied[partition, place] = batch.next_offset
        return True

    def hear_moves(self, worker: int, records: int) -> bool:
        """Have a worker read on in the topics of moves and of site records; return whether there was anything."""
        moves = self._hear(worker, self.topics.moves, self._moves[worker].receive_record, records)
        return self._hear(worker, self.topics.sites, self._sites[worker].receive_record, records) or moves

    def hear_imports(self, worker: int, records: int) -> bool:
        """Have a worker read on in what is said of imports; return whether there was anything."""
        imports = self._hear(worker, self.topics.imports, self.imports[worker].receive_record, records)
        return self._hear(worker, self.topics.import_parts, self._counts[worker].receive_record, records) or imports

    def _hear(self, worker: int, topic: Topic, receive: Callable[[bytes, bytes | None], None], records: int) -> bool:
        at = self._read[worker][topic.name]
        unread = self.log[Place(topic.name, 0)][at : at + records]
        for record in unread:
            receive(record.key or b"", record.value)
        self._read[worker][topic.name] += len(unread)
        return bool(unread)

    async def commit(self, partition: int, *, is_judging: bool = True) -> bool:
        """Judge and commit a task; return whether it wrote anything but its positions."""
        task, worker = self.tasks[partition], WORKER_OF[partition]
        if is_judging:
            recogniser = ImportRecogniser(
                topics=self.topics,
                counts=self._counts[worker],
                imports=self.imports[worker],
                metrics=WorkerMetrics(CollectorRegistry()),
            )
            recogniser.advance(task)
            of_imports, task.unpublished = task.unpublished, []
            group_totals = GroupTotals(PARTITIONS)
            surveyor = Surveyor(
                topics=self.topics, thresholds=Thresholds(), group_totals=group_totals, groups=GroupVerdicts()
            )
            judge = Judge(
                topics=self.topics,
                policy=self.policy,
                group_totals=group_totals,
                surveyor=surveyor,
                moves=self._moves[worker],
                imports=self.imports[worker],
            )
            said = judge_all(task, judge, surveyor, now_ms=self.now_ms, visibility=Visibility())
            task.unpublished += [record for record in said if record.topic == self.topics.verdicts.name]
            task.unpublished += of_imports
        is_news = bool(task.unpublished) or task.articles.is_changed
        before = len(self.changelog.written)
        await task.commit(self._forwarder)
        for record in self.changelog.written[before:]:
            if record.topic in (self.topics.imports.name, self.topics.import_parts.name):
                self.append(record)
        forwarded, self._forwarder.forwarded = self._forwarder.forwarded, []
        for record in forwarded:
            self.append(record)
        return is_news or bool(forwarded)

    def append(self, record: Outgoing) -> None:
        """Put a record that a worker wrote into the log."""
        recorded_ms = self.now_ms if record.timestamp_ms is None else record.timestamp_ms
        self.produce(Place(record.topic, record.partition), record.key, record.value, recorded_ms=recorded_ms)

    async def crash(self, worker: int) -> None:
        """Lose all that a worker has in memory, and start another one in its place."""
        self._sites[worker], self._read[worker] = Sites(), Counter()
        self._moves[worker] = Moves(sites=self._sites[worker])
        self.imports[worker], self._counts[worker] = Imports(), ImportCounts()
        for partition, owner in enumerate(WORKER_OF):
            if owner == worker:
                await self._take_over(partition)

    async def serve(self, topics: Topics, changelog: StandInChangelog) -> None:
        """Have all workers start anew for another state, which is committed."""
        self.topics, self.changelog = topics, changelog
        self._agents = self._new_agents()
        for worker in (0, 1):
            await self.crash(worker)

    async def settle(self) -> None:
        """Let everything come to rest."""
        is_busy = True
        while is_busy:
            is_busy = False
            for worker in (0, 1):
                is_busy |= self.hear_moves(worker, 10**6) | self.hear_imports(worker, 10**6)
            for partition in range(PARTITIONS):
                for topic in self.topics.inputs:
                    is_busy |= self.deliver(topic.name, partition, 10**6)
                is_busy |= await self.commit(partition)

    def verdicts(self) -> dict[str, Verdict]:
        """Return what is said in the end, as a reader of the compacted topic finds it."""
        newest = {
            (record.partition, record.key): record.value
            for record in self.changelog.written
            if record.topic == self.topics.verdicts.name
        }
        decoded = [codec.verdicts.decode(value) for value in newest.values() if value is not None]
        found = {verdict.article: verdict for verdict in decoded}
        assert len(found) == len(decoded), "an article has two verdicts"
        return found
