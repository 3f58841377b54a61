"""A link: the same, whatever the order and however often its events come."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.state import link
from flatline.domain.state.link import Link

events = st.lists(
    st.tuples(st.booleans(), st.integers(1, 6), st.booleans(), st.sampled_from([0, link.NOFOLLOW, link.UGC])),
    min_size=1,
    max_size=6,
)
UNKNOWN = Link(0, 0, 0)
Event = tuple[bool, int, bool, int]  # gained, at_ms, organic, rel


def _link(history: list[Event]) -> Link:
    known = UNKNOWN
    for gained, at_ms, organic, rel in history:
        known = link.seen(known, gained=gained, at_ms=at_ms, flags=rel | link.ORGANIC * organic)
    return known


@given(events, st.data())
def test_order_and_repetition_change_nothing(history: list[Event], data: st.DataObject) -> None:
    """Any order, and any number of repetitions, of the same events gives the same link."""
    again = data.draw(st.lists(st.sampled_from(history)))
    shuffled = data.draw(st.permutations([*history, *again]))
    assert _link(shuffled) == _link(history)


@given(events)
def test_a_link_says_what_its_history_says(history: list[Event]) -> None:
    """Each field agrees with its definition over the whole history."""
    first_gained_ms, newest_ms, flags = _link(history)
    gains = [event for event in history if event[0]]
    assert newest_ms == max(at_ms for _, at_ms, _, _ in history)
    assert bool(flags & link.GAINED) == bool(gains)
    assert bool(flags & link.LOST) == (len(gains) < len(history))
    assert bool(flags & link.LIVE) == any(at_ms == newest_ms for _, at_ms, _, _ in gains)
    if gains:
        assert first_gained_ms == min(at_ms for _, at_ms, _, _ in gains)
        assert bool(flags & link.ORGANIC) == any(organic for _, at, organic, _ in gains if at == first_gained_ms)
        assert bool(flags & link.UGC) == any(rel == link.UGC for _, _, _, rel in gains)


@pytest.mark.parametrize("order", list(permutations([(True, 1), (False, 2), (True, 3)])))
def test_restored(order: list[tuple[bool, int]]) -> None:
    """Gained, lost and gained again is live, lost once, and gained when it was gained first."""
    restored = _link([(gained, at_ms, True, 0) for gained, at_ms in order])
    assert restored.flags & link.LIVE
    assert restored.flags & link.LOST
    assert restored.first_gained_ms == 1


def test_a_swap_within_one_commit_stays_live() -> None:
    """Lost and gained at the same instant, as when a page swaps one spelling of a URL for another, is live."""
    assert _link([(True, 5, True, 0), (False, 5, True, 0)]).flags & link.LIVE
