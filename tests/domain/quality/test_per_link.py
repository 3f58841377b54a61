from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.quality.link_value import link_value_of
from flatline.domain.quality.per_link import newest
from flatline.domain.state import link, link_traits
from flatline.domain.state.segment import Segment
from flatline.domain.time import DAY_MS
from flatline.domain.urls.fingerprints import DOMAIN_BYTES, PAGE_BYTES

FLAGS_AND_TRAITS = (
    0,
    link.NOFOLLOW,
    link.SPONSORED,
    link.ORGANIC,
    link.ORGANIC | link_traits.placement("footer") << link.FLAG_BITS,
)


def _segment(links: list[tuple[int, int, int]]) -> Segment:
    """Return a segment of links, each from a page of its own: domain, day, flags and traits."""
    segment = Segment()
    for number, (domain, day, flags_and_traits) in enumerate(links):
        page = number.to_bytes(PAGE_BYTES, "big")
        segment.apply(page, domain.to_bytes(DOMAIN_BYTES, "big"), True, day * DAY_MS, flags_and_traits)
    return segment


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9), st.sampled_from(FLAGS_AND_TRAITS)), max_size=30))
def test_one_by_one_they_are_worth_what_they_add_up_to(links: list[tuple[int, int, int]]) -> None:
    """The links that matter and the thin ones are those of the sum, in any article."""
    segment = _segment(links)
    weighed = newest([segment], len(links), quality_min=0.25)
    link_value = link_value_of([segment], quality_min=0.25)
    assert sum(each.is_thin for each in weighed) == link_value.thin
    organic = [each for each in weighed if each.flags & link.ORGANIC and not each.is_thin]
    assert Counter(each.gained_ms // DAY_MS for each in organic) == link_value.days


def test_the_newest_come_first() -> None:
    """As many as are asked for, by the day of the first gain."""
    weighed = newest([_segment([(1, 3, 0), (2, 9, 0), (3, 5, 0)])], 2, quality_min=0.25)
    assert [each.gained_ms // DAY_MS for each in weighed] == [9, 5]


def test_a_link_that_was_only_lost_is_none() -> None:
    """Nobody saw it appear: it is counted nowhere."""
    segment = Segment()
    segment.apply(b"12345678", b"123456", False, 5 * DAY_MS, 0)
    assert newest([segment], 5, quality_min=0.25) == []
