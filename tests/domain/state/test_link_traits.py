"""Looks: a join of fields."""

from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.events.pages import READINGS
from flatline.domain.state import link_traits

some = st.integers(0, (1 << 8 * link_traits.BYTES) - 1)


@given(some, some, some)
def test_it_is_a_join(one: int, other: int, third: int) -> None:
    """Order, grouping and repetition change nothing, and knowing nothing adds nothing."""
    assert link_traits.joined(one, other) == link_traits.joined(other, one)
    assert link_traits.joined(link_traits.joined(one, other), third) == link_traits.joined(
        one, link_traits.joined(other, third)
    )
    assert link_traits.joined(one, one) == link_traits.joined(one, 0) == link_traits.joined(0, one) == one
    assert link_traits.joined(link_traits.joined(one, other), other) == link_traits.joined(one, other)


@given(
    st.integers(0, link_traits.ANCHOR),
    st.sampled_from(link_traits.PLACEMENTS),
    st.none() | st.floats(0, 100),
    st.integers(0, len(READINGS) - 1),
)
def test_fields_share_no_bit(anchor: int, placement: str | None, authority: float | None, reading: int) -> None:
    """What is put in comes out again, whatever stands in the other fields, in four bytes."""
    fields = [anchor, link_traits.reading(reading)]
    fields += [link_traits.placement(placement)] if placement else []
    fields += [] if authority is None else [link_traits.authority(authority)]
    seen = 0
    for field in fields:
        seen = link_traits.joined(seen, field)
    assert seen == sum(fields) < 1 << 8 * link_traits.BYTES
    assert seen & link_traits.ANCHOR == anchor
    assert link_traits.placement_of(seen) == placement
    assert link_traits.authority_of(seen) == (None if authority is None else round(authority))
    assert link_traits.reading_of(seen) == reading


def test_the_better_placement_counts() -> None:
    """A page that links in its footer and in its text links in its text, in whatever order that was seen."""
    footer, content = link_traits.placement("footer"), link_traits.placement("content")
    assert link_traits.placement_of(link_traits.joined(footer, content)) == "content"
    assert link_traits.placement_of(link_traits.joined(content, footer)) == "content"
