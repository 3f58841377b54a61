"""Looks: a join of fields."""

from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.events.pages import READINGS
from flatline.domain.state import link_traits as looks

some = st.integers(0, (1 << 8 * looks.BYTES) - 1)


@given(some, some, some)
def test_it_is_a_join(one: int, other: int, third: int) -> None:
    """Order, grouping and repetition change nothing, and knowing nothing adds nothing."""
    assert looks.joined(one, other) == looks.joined(other, one)
    assert looks.joined(looks.joined(one, other), third) == looks.joined(one, looks.joined(other, third))
    assert looks.joined(one, one) == looks.joined(one, 0) == looks.joined(0, one) == one
    assert looks.joined(looks.joined(one, other), other) == looks.joined(one, other)


@given(
    st.integers(0, looks.ANCHOR),
    st.sampled_from(looks.PLACEMENTS),
    st.none() | st.floats(0, 100),
    st.integers(0, len(READINGS) - 1),
)
def test_fields_share_no_bit(anchor: int, placement: str | None, authority: float | None, reading: int) -> None:
    """What is put in comes out again, whatever stands in the other fields, in four bytes."""
    fields = [anchor, looks.reading(reading)]
    fields += [looks.placement(placement)] if placement else []
    fields += [] if authority is None else [looks.authority(authority)]
    seen = 0
    for field in fields:
        seen = looks.joined(seen, field)
    assert seen == sum(fields) < 1 << 8 * looks.BYTES
    assert seen & looks.ANCHOR == anchor
    assert looks.placement_of(seen) == placement
    assert looks.authority_of(seen) == (None if authority is None else round(authority))
    assert looks.reading_of(seen) == reading


def test_the_better_placement_counts() -> None:
    """A page that links in its footer and in its text links in its text, in whatever order that was seen."""
    footer, content = looks.placement("footer"), looks.placement("content")
    assert looks.placement_of(looks.joined(footer, content)) == "content"
    assert looks.placement_of(looks.joined(content, footer)) == "content"
