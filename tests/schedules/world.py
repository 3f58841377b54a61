"""A broker, workers and foreign producers, and everything that a schedule can do to them."""

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from flatline.domain.time import to_ms
from flatline.engine.log import Outgoing
from flatline.engine.partition import Partition
from flatline.schema import codec
from flatline.schema.offset_metadata import judged_until
from tests.broker.broker import Broker
from tests.broker.groups import Group
from tests.broker.network import SteppedNetwork
from tests.broker.partition_log import Outcome, Stored
from tests.broker.transactions import Producer
from tests.schedules.events import LINKS, PARTITIONS, REGISTRATIONS, START_MS, TOPICS
from tests.schedules.process import Process
from tests.schedules.reference import Letter, Reference, Told, reference

GROUP: Final = TOPICS.namespace
SOURCES: Final = (LINKS, REGISTRATIONS)
COMMITS_MAX: Final = 60
MOVES_MAX: Final = 3_000


class World:
    """All there is in one run of a schedule. Nothing in it moves by itself, and there is no chance in it."""

    def __init__(self) -> None:
        self.now_ms = START_MS
        self.broker = Broker(lambda: self.now_ms)
        for topic in TOPICS.all():
            # Tombstones and unkeyed records are no matter here; what is compacted is up to the schedule.
            self.broker.create(topic.name, topic.partitions)
        self.broker.groups[GROUP] = Group(PARTITIONS)
        self.processes: dict[str, Process] = {}
        self.ghosts: list[SteppedNetwork] = []  # requests of processes that are no more
        self.ended: list[str] = []
        self._foreign: list[Producer] = []
        self._foreign_begun = 0
        self._committed_before: dict[tuple[str, int], tuple[int, int]] = {}

    # producers

    def send(self, record: Outgoing, *, in_transaction: bool = False) -> None:
        """Write a record, in a transaction that stays open if need be."""
        producer = self._foreign[-1] if in_transaction and self._foreign else None
        self.broker.produce(record.topic, record.partition, [record], producer)

    def open_transaction(self) -> None:
        """Have somebody else begin a transaction, and not end it."""
        self._foreign_begun += 1
        producer = self.broker.transactions.init(f"foreign-{self._foreign_begun}", timeout_ms=10**9)
        assert producer is not None
        self._foreign.append(producer)

    def end_transactions(self, outcome: Outcome) -> None:
        """Have them end all that they began."""
        for producer in self._foreign:
            self.broker.transactions.open(producer, now_ms=self.now_ms).outcome = outcome
        self._foreign = []

    # workers

    def start(self, instance_id: str) -> None:
        """Start a worker, in place of a former one with its name."""
        self.crash(instance_id)
        self.processes[instance_id] = Process(self.broker, TOPICS, instance_id)

    def crash(self, instance_id: str) -> None:
        """Kill a worker, wherever it is; what it has sent may still arrive."""
        process = self.processes.pop(instance_id, None)
        if process is not None:
            process.kill()
            self.ghosts.append(process.network)

    def pause(self, instance_id: str) -> None:
        """Stop a worker as SIGSTOP does."""
        if instance_id in self.processes:
            self.processes[instance_id].is_paused = True

    def wake(self, instance_id: str) -> None:
        """Let a worker go on that was stopped."""
        if instance_id in self.processes:
            self.processes[instance_id].is_paused = False
            self._run(self.processes[instance_id])

    def expire(self, instance_id: str) -> None:
        """Throw a worker out of the group, as its session has expired."""
        if instance_id in self.broker.groups[GROUP].members:
            self.broker.groups[GROUP].expire(instance_id)

    def _run(self, process: Process) -> None:
        process.run()
        if process.ended_because is not None:
            self.ended.append(process.ended_because)
            self.crash(process.instance_id)

    # time and the network

    def advance(self, duration_ms: int) -> None:
        """Let time pass."""
        self.now_ms += duration_ms
        self.broker.transactions.expire(self.now_ms)
        for process in list(self.processes.values()):
            self._run(process)

    def moves(self) -> list[Callable[[], None]]:
        """Return everything that can happen next on the network and in the broker, in a fixed order."""
        found: list[Callable[[], None]] = []
        for process in self.processes.values():
            found += [lambda p=process, r=request: self._move(p, r) for request in process.network.movable()]
        for network in self.ghosts:
            found += [
                lambda n=network, r=request: n.move(r) for request in network.movable() if not request.has_arrived
            ]
        for transaction in self.broker.transactions.ending:
            found += [
                lambda t=transaction, n=number: t.write_mark(n)
                for number in range(len(transaction.parts) + len(transaction.offsets))
            ]
        return found

    def _move(self, process: Process, request: object) -> None:
        process.move(request)
        self._run(process)

    def lose(self, number: int) -> None:
        """Lose a request, or an answer."""
        requests = [(p, request) for p in self.processes.values() for request in p.network.movable()]
        if requests:
            process, request = requests[number % len(requests)]
            process.lose(request)
            self._run(process)

    def move(self, number: int) -> None:
        """Have one of the things happen that can happen next."""
        moves = self.moves()
        if moves:
            moves[number % len(moves)]()

    def move_often(self, times: int, seed: int) -> None:
        """Have so many things happen, in an order drawn from a seed."""
        chance = Random(seed)
        for _ in range(times):
            self.move(chance.randrange(1_000_000))

    # the broker's housekeeping

    def compact(self, partition: int) -> None:
        """Compact a partition of the changelog."""
        self.broker.log(TOPICS.changelog.name, partition).compact(with_tombstones=True)

    # the end

    def settle(self, seed: int) -> None:
        """Let everything that was begun come to its end, and the workers judge all there is."""
        chance = Random(seed)
        self.end_transactions(Outcome.COMMITTED)
        for process in list(self.processes.values()):
            self.wake(process.instance_id)
        for _commit in range(COMMITS_MAX):
            for _ in range(MOVES_MAX):
                moves = self.moves()
                if not moves:
                    break
                moves[chance.randrange(len(moves))]()
            else:
                raise AssertionError("it never comes to rest")
            if not self.processes:
                self.start("last")
            for instance_id in self.broker.groups[GROUP].members:
                if instance_id not in self.processes:
                    self.expire(instance_id)
            if self._is_judged():
                return
            self.advance(6_000)
        raise AssertionError(f"after {COMMITS_MAX} commits the verdicts don't hold everything: {self._positions()}")

    def _positions(self) -> dict[tuple[str, int], tuple[int, int]]:
        committed = self.broker.groups[GROUP].committed
        return {
            (topic, partition): (
                judged_until(committed[topic, partition].metadata) if (topic, partition) in committed else 0,
                self.broker.log(topic, partition).last_stable_offset,
            )
            for topic in SOURCES
            for partition in range(PARTITIONS)
        }

    def _is_judged(self) -> bool:
        return not self.moves() and all(judged >= end for judged, end in self._positions().values())

    def close(self) -> None:
        """Kill what is left."""
        for instance_id in list(self.processes):
            self.crash(instance_id)

    # what came out

    def committed(self, topic: str) -> Iterator[tuple[str, int, Stored]]:
        """Yield the committed records of a topic, by topic and partition."""
        for partition, log in enumerate(self.broker.topics[topic].partitions):
            for record in log.read(log.start).records:
                yield topic, partition, record

    def check_committed(self) -> None:
        """Check that offsets are committed with the state that holds the records before them, and with nothing else."""
        for partition in range(PARTITIONS):
            log = self.broker.log(TOPICS.changelog.name, partition)
            if any(log in transaction.parts or transaction.offsets for transaction in self.broker.transactions.ending):
                continue  # between its marks
            state = Partition()
            for record in log.read(log.start).records:
                state.restore(record.key, record.value)
            committed = {
                topic: (offset.next_offset, judged_until(offset.metadata))
                for (topic, number), offset in self.broker.groups[GROUP].committed.items()
                if number == partition
            }
            assert state.positions == committed, f"partition {partition}"
            for topic, position in committed.items():
                before = self._committed_before.get((topic, partition), (0, 0))
                assert position[0] >= before[0], f"{topic}, partition {partition} went back from {before} to {position}"
                self._committed_before[topic, partition] = position

    def expected(self) -> Reference:
        """Return what must have come out."""
        return reference([record for topic in SOURCES for record in self.committed(topic)])

    def told(self) -> dict[str, Told]:
        """Return what the newest verdicts say."""
        newest = {record.key: record.value for _, _, record in self.committed(TOPICS.verdicts.name)}
        verdicts = [codec.verdicts.decode(value) for value in newest.values()]
        return {
            v.article: Told(
                v.gained_total,
                v.lost_total,
                v.live,
                v.referring_domains,
                None if v.first_gained_at is None else to_ms(v.first_gained_at),
                None if v.last_gained_at is None else to_ms(v.last_gained_at),
                v.title,
            )
            for v in verdicts
        }

    def letters(self) -> Counter[Letter]:
        """Return the dead letters."""
        found: Counter[Letter] = Counter()
        for _, _, record in self.committed(TOPICS.dead_letters.name):
            headers = {name: word.decode() for name, word in record.headers}
            letter = Letter(
                headers["topic"],
                int(headers["partition"]),
                int(headers["offset"]),
                headers["reason"],
                record.value or b"",
            )
            found[letter] += 1
        return found
