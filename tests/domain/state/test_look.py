"""Looks: a join of parts, each by its newest time."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.events.event_traits import flags_and_traits_of
from flatline.domain.state import link, look
from flatline.domain.state.look import NEVER, PARTS, Look, joined, look_at, packed, unpacked
from flatline.schema.link_event import LinkEvent

seen = st.builds(look_at, st.integers(0, (1 << 48) - 1), st.integers(1, 4))
looks = st.lists(seen, max_size=4).map(lambda each: reduce(joined, each, Look()))


@given(looks, looks, looks)
def test_it_is_a_join(one: Look, other: Look, third: Look) -> None:
    """Order, grouping and repetition change nothing, and knowing nothing adds nothing."""
    assert joined(one, other) == joined(other, one)
    assert joined(joined(one, other), third) == joined(one, joined(other, third))
    assert joined(one, one) == joined(one, Look()) == joined(Look(), one) == one


@given(looks)
def test_what_has_no_time_was_not_said(each: Look) -> None:
    """A part has a time if anything was said of it, and nothing outside the parts is kept."""
    assert each.marks & ~look.ALL == 0
    assert [bool(each.marks & part) for part in PARTS] == [at_ms > 0 for at_ms in each.times]


def test_parts_share_no_bit() -> None:
    """Each flag and trait belongs to one part."""
    assert sum(PARTS) == look.ALL


@given(st.tuples(*[st.sampled_from([0, 1, 2, 3, (1 << 48) - 1]) for _ in PARTS]))
def test_times_are_packed(times: look.Times) -> None:
    """They come out again, and one time of all parts takes two numbers below 2**48."""
    assert unpacked(packed(times)) == times
    assert len(packed(times)) == 1 + len(set(times) - {0})
    assert max(packed(times)) < 1 << 48
    assert unpacked(packed(NEVER)) == NEVER


@pytest.mark.parametrize(
    ("before", "after", "is_gone"),
    [
        ({"rel": ["nofollow"]}, {"rel": []}, link.NOFOLLOW),
        ({"rel": ["nofollow"]}, {"rel": ["ugc"]}, link.NOFOLLOW),
        ({"rel": [], "flags": ["redirect"]}, {"rel": []}, link.NOT_EDITORIAL),
        ({"anchor": "here"}, {"anchor": "https://yours.example/"}, link.GENERIC_ANCHOR),
        ({"anchor": "buy backlinks"}, {"anchor": ""}, link.STUFFED_ANCHOR),
        ({"context": ""}, {"context": "They have written about it at some length this week."}, link.BARE),
        ({"placement": "content"}, {"placement": "footer"}, 0),
    ],
)
def test_the_newest_counts(before: dict[str, object], after: dict[str, object], is_gone: int) -> None:
    """What was said before does not, and what is not mentioned again stays."""
    old, new = (_marks(said) for said in (before, after))
    known = joined(look_at(new, 2), look_at(old, 1))
    assert known.marks == new & look.ALL
    assert not known.marks & is_gone
    assert joined(look_at(_marks({}), 3), known) == known
    assert joined(look_at(old, 3), known).marks == old & look.ALL


def _marks(said: dict[str, object]) -> int:
    event = LinkEvent("https://a.example/", "https://b.example/", **said)  # type: ignore[arg-type]
    return flags_and_traits_of(event) | (0 if event.rel is None else link.rel_flags(event.rel))
