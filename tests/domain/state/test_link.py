"""A link: the same, whatever the order and however often its events come."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.state import link
from flatline.domain.state.link import Link
from flatline.schema.lost_reason import LOST_REASONS

events = st.lists(
    st.tuples(
        st.booleans(),
        st.integers(1, 6),
        st.booleans(),
        st.sampled_from([0, link.NOFOLLOW, link.UGC]),
        st.sampled_from([link.NOT_KNOWN, 1, 2, 300]),
    ),
    min_size=1,
    max_size=6,
)
UNKNOWN = Link(0, 0, 0)
Event = tuple[bool, int, bool, int, int]  # gained, at_ms, organic, rel, reason of a loss


def _link(history: list[Event]) -> Link:
    known = UNKNOWN
    for gained, at_ms, organic, rel, reason in history:
        flags = rel | link.ORGANIC * organic
        known = link.seen(known, gained=gained, at_ms=at_ms, flags=flags, lost_reason=0 if gained else reason)
    return known


@given(events, st.data())
def test_order_and_repetition_change_nothing(history: list[Event], data: st.DataObject) -> None:
    """Any order, and any number of repetitions, of the same events gives the same link."""
    again = data.draw(st.lists(st.sampled_from(history)))
    shuffled = data.draw(st.permutations([*history, *again]))
    assert _link(shuffled) == _link(history)


@given(events, events, events)
def test_it_is_a_join(one: list[Event], other: list[Event], third: list[Event]) -> None:
    """What is known in several places comes to the same in any order and grouping, as if all events came to one."""
    a, b, c = _link(one), _link(other), _link(third)
    assert link.joined(a, b) == link.joined(b, a) == _link([*one, *other])
    assert link.joined(link.joined(a, b), c) == link.joined(a, link.joined(b, c))
    assert link.joined(a, a) == link.joined(a, UNKNOWN) == a


@given(events)
def test_a_link_says_what_its_history_says(history: list[Event]) -> None:
    """Each field agrees with its definition over the whole history."""
    first_gained_ms, newest_ms, flags, lost_reason = _link(history)
    gains = [event for event in history if event[0]]
    assert newest_ms == max(event[1] for event in history)
    is_live = any(at_ms == newest_ms for _, at_ms, *_ in gains)
    reasons = [event[4] for event in history if not event[0] and event[1] == newest_ms]
    assert lost_reason == (0 if is_live else max(reasons))
    assert bool(flags & link.GAINED) == bool(gains)
    assert bool(flags & link.LOST) == (len(gains) < len(history))
    assert bool(flags & link.LIVE) == is_live
    if gains:
        assert first_gained_ms == min(at_ms for _, at_ms, *_ in gains)
        assert bool(flags & link.ORGANIC) == any(organic for _, at, organic, *_ in gains if at == first_gained_ms)
        assert bool(flags & link.UGC) == any(event[3] == link.UGC for event in gains)


@pytest.mark.parametrize("order", list(permutations([(True, 1), (False, 2), (True, 3)])))
def test_restored(order: list[tuple[bool, int]]) -> None:
    """Gained, lost and gained again is live, lost once, and gained when it was gained first."""
    restored = _link([(gained, at_ms, True, 0, 1) for gained, at_ms in order])
    assert restored.flags & link.LIVE
    assert restored.flags & link.LOST
    assert restored.first_gained_ms == 1


def test_a_swap_within_one_commit_stays_live() -> None:
    """Lost and gained at the same instant, as when a page swaps one spelling of a URL for another, is live."""
    swapped = _link([(True, 5, True, 0, 0), (False, 5, True, 0, 1)])
    assert swapped.flags & link.LIVE
    assert swapped.lost_reason == link.NOT_KNOWN


def test_codes_never_change() -> None:
    """A reason is kept under its place in the list for ever: new ones are added at its end."""
    assert [link.lost_reason_code(reason) for reason in LOST_REASONS] == list(range(1, len(LOST_REASONS) + 1))
    assert LOST_REASONS[:10] == (
        "removed",
        "page_gone",
        "page_error",
        "page_redirected",
        "noindex",
        "not_canonical",
        "redirect_lost",
        "retargeted",
        "domain_gone",
        "retracted",
    )
    assert [link.lost_reason_of(code) for code in (0, 1, 10, 999)] == [None, "removed", "retracted", None]
