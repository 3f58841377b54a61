"""A link's register: the same, whatever the order and however often its events come."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain import link

events = st.lists(
    st.tuples(st.booleans(), st.integers(1, 6), st.booleans(), st.sampled_from([0, link.NOFOLLOW, link.UGC])),
    min_size=1,
    max_size=6,
)
Event = tuple[bool, int, bool, int]


def _register(history: list[Event]) -> int:
    register = link.UNKNOWN
    for gained, at_ms, organic, rel in history:
        register = link.seen(register, gained=gained, at_ms=at_ms, organic=organic, rel=rel)
    return register


@given(events, st.data())
def test_order_and_repetition_change_nothing(history: list[Event], data: st.DataObject) -> None:
    """Any order, and any number of repetitions, of the same events gives the same register."""
    again = data.draw(st.lists(st.sampled_from(history)))
    shuffled = data.draw(st.permutations([*history, *again]))
    assert _register(shuffled) == _register(history)


@given(events)
def test_register_says_what_the_history_says(history: list[Event]) -> None:
    """Each field agrees with its definition over the whole history."""
    register = _register(history)
    gains = [event for event in history if event[0]]
    newest_ms = max(at_ms for _, at_ms, _, _ in history)
    assert bool(register & link.GAINED) == bool(gains)
    assert bool(register & link.LOST) == (len(gains) < len(history))
    assert bool(register & link.LIVE) == any(at_ms == newest_ms for _, at_ms, _, _ in gains)
    if gains:
        first_ms = min(at_ms for _, at_ms, _, _ in gains)
        assert link.first_gained_ms(register) == first_ms
        assert bool(register & link.ORGANIC) == any(organic for _, at_ms, organic, _ in gains if at_ms == first_ms)


@pytest.mark.parametrize("order", list(permutations([(True, 1), (False, 2), (True, 3)])))
def test_restored(order: list[tuple[bool, int]]) -> None:
    """Gained, lost and gained again is live, lost once, and gained when it was gained first."""
    register = _register([(gained, at_ms, True, 0) for gained, at_ms in order])
    assert register & link.LIVE
    assert register & link.LOST
    assert link.first_gained_ms(register) == 1


def test_a_swap_within_one_commit_stays_live() -> None:
    """Lost and gained at the same instant, as when a page swaps one spelling of a URL for another, is live."""
    assert _register([(True, 5, True, 0), (False, 5, True, 0)]) & link.LIVE


@given(st.integers(1, (1 << 48) - 1))
def test_register_fits_its_bytes(at_ms: int) -> None:
    """Every instant fits."""
    register = _register([(True, at_ms, True, link.NOFOLLOW | link.UGC | link.SPONSORED), (False, at_ms, True, 0)])
    assert int.from_bytes(register.to_bytes(link.REGISTER_BYTES, "little"), "little") == register
