"""Any schedule of records, commits, rebalances, crashes, zombies and faults ends with what is in the log, once."""

# ruff: noqa: D401 - the rules of the machine are things that happen, not commands

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.broker.partition_log import Outcome
from tests.schedules import clocks
from tests.schedules.events import (
    ARTICLES,
    DAY_MS,
    LINKS,
    PARTITIONS,
    POISONS,
    REGISTRATIONS,
    START_MS,
    Link,
    Registration,
    link_record,
    poison_record,
    registration_record,
)
from tests.schedules.world import World

WORKERS = st.sampled_from(["a", "b", "c"])
PARTITION = st.integers(0, PARTITIONS - 1)
ANY = st.integers(0, 1_000)
SEED = st.integers(0, 2**32)
ARTICLE = st.integers(0, len(ARTICLES) - 1)
LINK = st.builds(
    Link,
    ARTICLE,
    page=st.integers(0, 5),
    is_gain=st.booleans(),
    at_ms=st.integers(-3, 1).map(lambda days: START_MS + days * DAY_MS),
)


class Schedules(RuleBasedStateMachine):
    """Everything that can happen to workers."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.stop_clocks = clocks.replace(self.world)

    @rule(link=LINK, spelling=st.integers(0, 3), times=st.integers(1, 3), in_transaction=st.booleans())
    def send_link(self, link: Link, spelling: int, times: int, in_transaction: bool) -> None:
        """A link is gained or lost, and told of once or several times, in any order."""
        for number in range(times):
            self.world.send(link_record(link, spelling=spelling + number), in_transaction=in_transaction)

    @rule(link=LINK, partition=PARTITION)
    def send_misplaced_link(self, link: Link, partition: int) -> None:
        """A link event lies on any partition, with any key."""
        self.world.send(link_record(link, misplaced_on=partition))

    @rule(article=ARTICLE, title=st.sampled_from(["first", "second"]))
    def send_registration(self, article: int, title: str) -> None:
        """An article is registered, or registered anew; `tests/agents/test_moves_and_removals.py` has removals."""
        self.world.now_ms += 1
        self.world.send(registration_record(Registration(article, title), timestamp_ms=self.world.now_ms))

    @rule(number=st.integers(0, len(POISONS) - 1), partition=PARTITION, topic=st.sampled_from([LINKS, REGISTRATIONS]))
    def send_poison(self, number: int, partition: int, topic: str) -> None:
        """A record can't be read."""
        self.world.send(poison_record(number, topic=topic, partition=partition))

    @rule()
    def open_foreign_transaction(self) -> None:
        """A producer begins a transaction, and takes its time."""
        self.world.open_transaction()

    @rule(is_committed=st.booleans())
    def end_foreign_transactions(self, is_committed: bool) -> None:
        """It ends all that it began."""
        self.world.end_transactions(Outcome.COMMITTED if is_committed else Outcome.ABORTED)

    @rule(worker=WORKERS)
    def start(self, worker: str) -> None:
        """A worker is started, or restarted."""
        self.world.start(worker)

    @rule(worker=WORKERS)
    def crash(self, worker: str) -> None:
        """A worker is killed, whatever it is doing."""
        self.world.crash(worker)

    @rule(worker=WORKERS)
    def pause(self, worker: str) -> None:
        """A worker is paused."""
        self.world.pause(worker)

    @rule(worker=WORKERS)
    def wake(self, worker: str) -> None:
        """A worker goes on, whatever has happened meanwhile."""
        self.world.wake(worker)

    @rule(worker=WORKERS)
    def expire(self, worker: str) -> None:
        """The session of a worker expires, dead or not."""
        self.world.expire(worker)

    @rule(number=ANY)
    def move(self, number: int) -> None:
        """Some request arrives, or some answer; or the broker writes a mark."""
        self.world.move(number)

    @rule(times=st.integers(1, 60), seed=SEED)
    def move_often(self, times: int, seed: int) -> None:
        """Many of them."""
        self.world.move_often(times, seed)

    @rule(number=ANY)
    def lose(self, number: int) -> None:
        """A request is lost, or its answer."""
        self.world.lose(number)

    @rule(duration_ms=st.sampled_from([1, 1_000, 5_000, 61_000, DAY_MS]))
    def advance(self, duration_ms: int) -> None:
        """Time passes: workers commit, transactions expire."""
        self.world.advance(duration_ms)

    @rule(partition=PARTITION)
    def compact(self, partition: int) -> None:
        """The broker compacts a part of the changelog."""
        self.world.compact(partition)

    @invariant()
    def offsets_and_state_are_of_one_commit(self) -> None:
        """What the changelog says of its offsets is what the group committed, at any time between marks."""
        self.world.check_committed()

    def teardown(self) -> None:
        """In the end verdicts and dead letters are what the records in the log make them."""
        world = self.world
        try:
            world.settle(seed=world.now_ms)
            expected = world.expected()
            assert world.told() == expected.told
            assert world.letters() == expected.letters
        finally:
            world.close()
            self.stop_clocks()


TestSchedules = Schedules.TestCase
TestSchedules.settings = settings(
    max_examples=int(os.environ.get("SCHEDULES", "60")), stateful_step_count=40, deadline=None, print_blob=True
)
