"""Who owns which partition, and from when on, while assignments come and go."""

import asyncio

import pytest
from streams.engine.ownership import Ownership

from streams.engine.partition import Partition
from tests.waiting import PATIENCE_S


class StubWriter:
    """The right to write a partition of a `StubChangelog`."""

    def __init__(self, changelog: "StubChangelog", number: int) -> None:
        self._changelog = changelog
        self._number = number

    async def close(self) -> None:
        """Note it."""
        self._changelog.closed.append(self._number)


class StubChangelog:
    """A changelog that is read when the test says so."""

    def __init__(self) -> None:
        self.fenced: list[int] = []
        self.closed: list[int] = []
        self.may_read = asyncio.Event()

    async def fence(self, number: int) -> StubWriter:
        """Note it."""
        self.fenced.append(number)
        return StubWriter(self, number)

    async def restore(self, number: int, partition: Partition) -> None:  # noqa: ARG002
        """Wait until it may."""
        await self.may_read.wait()


@pytest.fixture
def changelog() -> StubChangelog:
    """Return a changelog that can be read at once."""
    changelog = StubChangelog()
    changelog.may_read.set()
    return changelog


@pytest.fixture
def newly_owned() -> list[frozenset[int]]:
    """Return what was said to be new, each time that all was whole."""
    return []


@pytest.fixture
def ownership(changelog: StubChangelog, newly_owned: list[frozenset[int]]) -> Ownership:
    """Return an ownership of nothing yet."""
    ownership = Ownership(changelog)  # type: ignore[arg-type]
    ownership.on_whole = newly_owned.append
    return ownership


async def _assign(ownership: Ownership, *numbers: int, generation: int) -> None:
    ownership.assign(frozenset(numbers), generation=generation)
    await asyncio.wait_for(ownership.whole(), PATIENCE_S)
    await asyncio.sleep(0)


async def test_what_is_kept_stays_as_it_is(
    ownership: Ownership, changelog: StubChangelog, newly_owned: list[frozenset[int]]
) -> None:
    """From one generation to the next, only what is new is fenced and read, and what is gone is given back."""
    await _assign(ownership, 0, 1, generation=1)
    kept = ownership.owned[1]
    await _assign(ownership, 1, 2, generation=2)
    assert ownership.owned[1] is kept
    assert (sorted(changelog.fenced), changelog.closed) == ([0, 1, 2], [0])
    assert newly_owned == [{0, 1}, {2}]


async def test_a_missed_generation_keeps_nothing(ownership: Ownership, changelog: StubChangelog) -> None:
    """A worker that was not there for a generation reads everything again: somebody else may have written meanwhile."""
    await _assign(ownership, 0, generation=4)
    await _assign(ownership, 0, generation=6)
    assert (changelog.fenced, changelog.closed) == ([0, 0], [0])


async def test_nothing_is_whole_before_all_is(ownership: Ownership, changelog: StubChangelog) -> None:
    """While a partition is being read, nothing is whole; a rebalance meanwhile drops what is gone, and goes on."""
    changelog.may_read.clear()
    ownership.assign(frozenset({0, 1}), generation=1)
    await asyncio.sleep(0.01)
    assert not ownership.is_whole
    ownership.assign(frozenset({1, 2}), generation=2)
    await asyncio.sleep(0.01)
    assert not ownership.is_whole
    changelog.may_read.set()
    await asyncio.wait_for(ownership.whole(), PATIENCE_S)
    assert ownership.owned.keys() == {1, 2}
    assert changelog.closed == [0]
    assert sorted(changelog.fenced) == [0, 1, 2]


async def test_nothing_assigned_is_whole(ownership: Ownership, changelog: StubChangelog) -> None:
    """A worker for which there is no partition has nothing to wait for; in the end everything is given back."""
    await _assign(ownership, 0, generation=1)
    await _assign(ownership, generation=2)
    await ownership.close()
    assert (ownership.owned, changelog.closed) == ({}, [0])
