"""Which tasks there are, and from when on, while assignments come and go."""

import asyncio
import gc
from weakref import ref

import pytest

from flatline.domain.state.article import FORMAT, FORMAT_BYTE
from flatline.engine.assignment import Assignment
from flatline.engine.task import TaskState
from tests.engine.stand_ins import Ending, StandInChangelog, StandInForwarder


@pytest.fixture
def changelog() -> StandInChangelog:
    """Return a changelog that can be read at once."""
    return StandInChangelog()


@pytest.fixture
def assignment(changelog: StandInChangelog) -> Assignment:
    """Return an assignment of nothing yet."""
    return Assignment(changelog, StandInForwarder(), end=Ending())


async def _assign(assignment: Assignment, *numbers: int, generation: int) -> None:
    await assignment.revoked()
    assignment.assigned(frozenset(numbers), generation=generation)
    await assignment.task_of(0, generation=generation)
    for _ in range(5):  # what was given up is closed
        await asyncio.sleep(0)


async def test_what_is_kept_stays_as_it_is(assignment: Assignment, changelog: StandInChangelog) -> None:
    """From one generation to the next, only what is new is fenced and read, and what is gone is given back."""
    await _assign(assignment, 0, 1, generation=1)
    kept = assignment.tasks[1]
    await _assign(assignment, 1, 2, generation=2)
    assert assignment.tasks[1] is kept
    assert kept.is_running
    assert (sorted(changelog.fenced), changelog.closed) == ([0, 1, 2], [0])


async def test_a_missed_generation_keeps_nothing(assignment: Assignment, changelog: StandInChangelog) -> None:
    """A worker that was not there for a generation reads everything again: somebody else may have written meanwhile."""
    await _assign(assignment, 0, generation=4)
    await _assign(assignment, 0, generation=6)
    assert (changelog.fenced, changelog.closed) == ([0, 0], [0])


async def test_nothing_is_whole_before_all_is(assignment: Assignment, changelog: StandInChangelog) -> None:
    """While a partition is being read, nothing is whole; a rebalance meanwhile drops what is gone, and goes on."""
    changelog.restore_held.close()
    assignment.assigned(frozenset({0, 1}), generation=1)
    await changelog.restore_held.reached.wait()
    waiting = asyncio.ensure_future(assignment.task_of(1, generation=2))
    await assignment.revoked()
    assignment.assigned(frozenset({1, 2}), generation=2)
    for _ in range(10):
        await asyncio.sleep(0)
    assert not assignment.is_whole
    assert not waiting.done()
    changelog.restore_held.is_open.set()
    assert await waiting is assignment.tasks[1]
    assert {number: task.state for number, task in assignment.tasks.items()} == dict.fromkeys((1, 2), TaskState.RUNNING)
    assert changelog.closed == [0]
    assert sorted(changelog.fenced) == [0, 1, 2]


async def test_no_request_to_become_the_writer_outlives_a_rebalance(
    assignment: Assignment, changelog: StandInChangelog
) -> None:
    """When a worker rejoins its group, none of its requests can come after those of whoever gets the partition."""
    changelog.fence_held.close()
    assignment.assigned(frozenset({0}), generation=1)
    await changelog.fence_held.reached.wait()
    await assignment.revoked()
    assert changelog.newest == {}
    changelog.fence_held.is_open.set()
    await _assign(assignment, generation=2)
    assert changelog.newest == {}
    await _assign(assignment, 0, generation=3)
    assert changelog.newest.keys() == {0}


async def test_what_comes_late_is_left_to_its_new_delivery(assignment: Assignment) -> None:
    """A record of a former generation is delivered again; one of a partition that went away, to somebody else."""
    await _assign(assignment, 0, generation=1)
    await _assign(assignment, 0, generation=2)
    assert await assignment.task_of(0, generation=1) is None
    assert await assignment.task_of(0, generation=2) is assignment.tasks[0]
    await _assign(assignment, generation=3)
    assert await assignment.task_of(0, generation=3) is None


async def test_closing_makes_everything_durable(assignment: Assignment, changelog: StandInChangelog) -> None:
    """What was applied is committed, and everything given back."""
    await _assign(assignment, 0, 1, generation=1)
    assignment.tasks[1].applied("links", 7)
    await assignment.close()
    assert changelog.offsets["links", 1].next_offset == 7
    assert (assignment.tasks, sorted(changelog.closed)) == ({}, [0, 1])


@pytest.mark.parametrize("hundredths", range(0, 30, 3))
async def test_a_rebalance_in_the_middle_of_a_commit_harms_nobody(
    assignment: Assignment, changelog: StandInChangelog, hundredths: int
) -> None:
    """Wherever in a commit it comes: the commit ends, the partition is given up, and the next owner can commit."""
    await _assign(assignment, 0, generation=1)
    assignment.tasks[0].applied("links", 7)
    changelog.commit_held.close()
    committing = asyncio.ensure_future(assignment.commit())
    for _ in range(hundredths):
        await asyncio.sleep(0)
    rebalancing = asyncio.ensure_future(assignment.revoked())
    await asyncio.sleep(0)
    changelog.commit_held.is_open.set()
    await asyncio.gather(committing, rebalancing)
    late = asyncio.ensure_future(assignment.commit())  # between revoked and assigned
    await late
    heir = Assignment(changelog, StandInForwarder(), end=Ending())
    assignment.assigned(frozenset(), generation=2)
    heir.assigned(frozenset({0}), generation=2)
    await heir.task_of(0, generation=2)
    heir.tasks[0].applied("links", 9)
    await asyncio.gather(assignment.commit(), heir.commit())
    assert changelog.offsets["links", 0].next_offset == 9


async def test_a_state_of_another_version_ends_the_worker_with_the_reason() -> None:
    """None waits for ever for a partition that it can't take over."""
    ending = Ending()
    state = {b"https://yours.example/a": bytes([FORMAT + 1])}
    assignment = Assignment(StandInChangelog(state), StandInForwarder(), end=ending)
    assignment.assigned(frozenset({0}), generation=1)
    await ending.ended.wait()
    assert ending.reason.startswith(f"partition 0: The state is in format {FORMAT + 1}")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"\0crawler", FORMAT_BYTE + b"\xc1 not msgpack"),
        (b"positions\0", FORMAT_BYTE + b"\xc1"),
        (b"\0\xff", FORMAT_BYTE),
        (b"\xff", FORMAT_BYTE),
    ],
)
async def test_what_nobody_wrote_as_state_keeps_no_partition(key: bytes, value: bytes) -> None:
    """A record of the changelog that can't be read is left out."""
    assignment = Assignment(StandInChangelog({key: value}), StandInForwarder(), end=Ending())
    assignment.assigned(frozenset({0}), generation=1)
    assert await assignment.task_of(0, generation=1) is assignment.tasks[0]


@pytest.mark.parametrize("step", ["fence_held", "restore_held"])
async def test_a_log_that_fails_ends_the_worker(step: str) -> None:
    """Any error, not only those of the client; and the error is at hand for the log."""
    ending, changelog, broken = Ending(), StandInChangelog(), RuntimeError("broken")
    getattr(changelog, step).error = broken
    assignment = Assignment(changelog, StandInForwarder(), end=ending)
    assignment.assigned(frozenset({0}), generation=1)
    await ending.ended.wait()
    assert ending.cause is broken


async def test_what_is_given_up_is_freed_without_the_collector(assignment: Assignment) -> None:
    """A worker's collector looks at what is old no more: a partition that is gone must not be part of a circle."""
    gc.collect()
    gc.disable()
    try:
        await _assign(assignment, 0, 1, generation=1)
        await assignment.commit()
        gone = ref(assignment.tasks[0].articles), ref(assignment.tasks[0].due)
        await _assign(assignment, 1, generation=2)
        await _assign(assignment, 1, 2, generation=3)
        assert [each() for each in gone] == [None, None]
    finally:
        gc.enable()
