"""Links, moves, undos, removals and registrations while the state is made anew, and killed half-way: one end state."""

import asyncio
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.schema.verdict import Verdict
from tests.agents.fleet import PARTITIONS, Fleet
from tests.agents.fleet_rebuild import Rebuild, rebuilt
from tests.agents.test_moves_and_removals import (
    NOW_MS,
    Event,
    Link,
    Move,
    Shown,
    dated,
    events,
    expected,
    send,
    shown,
    step,
)
from tests.examples import examples

DAY_MS = 86_401_000  # and a second: by then all are due
OF_THE_MOMENT: Final = ("judged_at", "as_of_offset", "reason", "expectation")


async def _play(sent: list[Event], data: st.DataObject, *, links_bring_back: bool) -> dict[str, Shown]:
    """Send the events; in between workers do what they do, and one rebuild after the other goes on, dies, is done."""
    fleet = Fleet(now_ms=NOW_MS, links_bring_back=links_bring_back)
    await fleet.start()
    rebuild: Rebuild | None = None
    for event in data.draw(st.permutations(sent)):
        send(fleet, event, spelling=data.draw(st.integers(0, 3)), anywhere=data.draw(st.integers(0, 2 * PARTITIONS)))
        for _ in range(data.draw(st.integers(0, 2))):
            if data.draw(st.integers(0, 6)):
                await step(fleet, data)
                continue
            rebuild = rebuild or Rebuild(fleet)
            if await rebuild.run(steps=data.draw(st.integers(0, 40)), rounds=data.draw(st.integers(1, 2))):
                rebuild = None
    await (rebuild or Rebuild(fleet)).run()
    await fleet.settle()
    return shown(fleet)


@examples(150)
@given(events.map(dated), st.booleans(), st.data())
def test_the_end_is_a_function_of_the_set_of_events(
    sent: list[Event], links_bring_back: bool, data: st.DataObject
) -> None:
    """Whatever is rebuilt and killed when: what is said at rest is what the set of events says."""
    said = asyncio.run(_play(sent, data, links_bring_back=links_bring_back))
    assert said == expected(sent, links_bring_back=links_bring_back)


OLD: Final = Link(0, "https://old.example/a", 1, is_gain=True)
MOVE: Final = Move("https://old.example/*", "https://new.example/*", 1, is_undone=False)
UNDO: Final = Move("https://old.example/*", "https://new.example/*", 2, is_undone=True)
AGAIN: Final = Move("https://old.example/*", "https://new.example/*", 3, is_undone=False)


async def _rebuilt_at_the_end(sent: list[Event]) -> dict[str, Shown]:
    """Send each event when the one before it is known, but for the last: only the rebuild and what follows know it."""
    fleet = Fleet(now_ms=NOW_MS)
    await fleet.start()
    for event in sent:
        await fleet.settle()
        send(fleet, event, spelling=0, anywhere=0)
    await rebuilt(fleet)
    await fleet.settle()
    return shown(fleet)


@pytest.mark.parametrize("sent", [[OLD, MOVE], [OLD, MOVE, UNDO], [OLD, MOVE, UNDO, AGAIN]])
def test_a_move_is_decided_just_before_a_rebuild(sent: list[Event]) -> None:
    """Nothing is left of what was said of the address that moved, and what was taken back is said again."""
    assert asyncio.run(_rebuilt_at_the_end(sent)) == expected(sent, links_bring_back=False)


async def _said_before_and_after(sent: list[Event], data: st.DataObject, *, days: int) -> list[dict[str, Verdict]]:
    fleet = Fleet(now_ms=NOW_MS)
    await fleet.start()
    for event in sent:
        send(fleet, event, spelling=0, anywhere=data.draw(st.integers(0, 2 * PARTITIONS)))
        if data.draw(st.booleans()):
            await fleet.settle()
    for _ in range(2):
        fleet.now_ms += days * DAY_MS
        await fleet.settle()
    said = [fleet.verdicts()]
    await rebuilt(fleet)
    said.append(fleet.verdicts())
    for worker in (0, 1):  # workers judge nothing before they know all moves
        fleet.hear_moves(worker, 10**6)
    for partition in range(PARTITIONS):
        await fleet.commit(partition)
        said.append(fleet.verdicts())
    await fleet.settle()
    said.append(fleet.verdicts())
    return said


@examples(150)
@given(events.map(dated), st.sampled_from([1, 40, 400]), st.data())
def test_a_rebuilt_state_says_the_same_at_any_moment(sent: list[Event], days: int, data: st.DataObject) -> None:
    """At rest, a rebuild changes no verdict, nor takes one back for a while: states, times and counts stay."""
    before, *after = asyncio.run(_said_before_and_after(sent, data, days=days))
    for each in after:
        assert each.keys() == before.keys()
        for key, verdict in each.items():
            assert _of_the_past(verdict) == _of_the_past(before[key]), key


def _of_the_past(verdict: Verdict) -> dict[str, object]:
    """Return what a verdict says, but for what depends on when it was judged: it may be said again."""
    fields = msgspec.structs.asdict(verdict)
    return {name: value for name, value in fields.items() if name not in OF_THE_MOMENT and type(value) is not float}
