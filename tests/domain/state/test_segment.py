"""A segment against a plain dict of links."""

from hypothesis import given, settings
from hypothesis import strategies as st

from flatline.domain.state import link, link_traits
from flatline.domain.state.link import Effect, Link
from flatline.domain.state.segment import Segment
from flatline.domain.urls.fingerprints import DOMAIN_BYTES, PAGE_BYTES

# Few different bytes, so that one fingerprint lies across two others.
pages = st.lists(st.sampled_from([0, 1]), min_size=PAGE_BYTES, max_size=PAGE_BYTES).map(bytes)
events = st.lists(
    st.tuples(
        pages,
        st.booleans(),
        st.integers(1, 8),
        st.sampled_from([0, link.ORGANIC, link.ORGANIC | link.UGC]),
        st.sampled_from(
            [0, 1, link_traits.placement("nav"), link_traits.placement("content") | 2, link_traits.authority(40)]
        ),
    ),
    max_size=120,
)
UNKNOWN = Link(0, 0, 0)
Event = tuple[bytes, bool, int, int, int]  # page, gained, at_ms, flags, traits
Known = tuple[Link, int]  # a link, and its traits


def _domain(page: bytes) -> bytes:
    return page[:DOMAIN_BYTES]


def _see(segment: Segment, links: dict[bytes, Known], history: list[Event]) -> None:
    """Apply events to both, and compare what the segment says of each."""
    for page, gained, at_ms, flags, traits in history:
        before, known = links.get(page, (UNKNOWN, 0))
        after = link.seen(before, gained=gained, at_ms=at_ms, flags=flags)
        joined = link_traits.joined(known, traits) if gained else known
        links[page] = after, joined
        effect, is_news = segment.apply(page, _domain(page), gained, at_ms, flags | traits << link.FLAG_BITS)
        assert is_news == ((after, joined) != (before, known))
        assert effect == (link.effect(before, after, gained=gained) if is_news else Effect.SEEN_AGAIN)


def _content(segment: Segment) -> dict[bytes, tuple[bytes, Known]]:
    return {
        bytes(segment.pages[number * PAGE_BYTES : (number + 1) * PAGE_BYTES]): (
            bytes(segment.domains[number * DOMAIN_BYTES : (number + 1) * DOMAIN_BYTES]),
            (segment.link(number), segment.traits[number]),
        )
        for number in range(len(segment))
    }


def _expected(links: dict[bytes, Known]) -> dict[bytes, tuple[bytes, Known]]:
    return {page: (_domain(page), each) for page, each in links.items()}


@settings(max_examples=200)
@given(events, events)
def test_behaves_like_a_dict_of_links(before: list[Event], after: list[Event]) -> None:
    """It holds what the events lead to, and says what each did; also when it was bytes in between."""
    links: dict[bytes, Known] = {}
    segment = Segment()
    _see(segment, links, before)
    segment = Segment.decode(segment.encode())
    _see(segment, links, after)
    assert _content(segment) == _expected(links)
    assert len(segment) == len(links)


@given(events.filter(lambda history: len({event[0] for event in history}) > 1))
def test_a_split_keeps_every_link(history: list[Event]) -> None:
    """Every link is in the half where it is looked for, and neither half is empty."""
    links: dict[bytes, Known] = {}
    lower = Segment()
    _see(lower, links, history)
    low, upper = lower.split()
    assert _content(lower) == _expected({page: each for page, each in links.items() if page < low})
    assert _content(upper) == _expected({page: each for page, each in links.items() if page >= low})
    assert len(lower)
    assert len(upper)


def test_a_link_takes_26_bytes() -> None:
    """What is kept of a link that was gained once."""
    segment = Segment()
    for number in range(100):
        page = number.to_bytes(PAGE_BYTES, "big")
        segment.apply(page, _domain(page), True, 1_780_000_000_000, link.ORGANIC)
    assert len(segment.encode()) == 2 + 100 * 26
