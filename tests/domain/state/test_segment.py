"""A segment against a plain dict of links."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.state import link, link_traits
from flatline.domain.state.link import Effect, Link
from flatline.domain.state.segment import Segment
from flatline.domain.urls.fingerprints import DOMAIN_BYTES, PAGE_BYTES
from tests.examples import examples

# Few different bytes, so that one fingerprint lies across two others.
pages = st.lists(st.sampled_from([0, 1]), min_size=PAGE_BYTES, max_size=PAGE_BYTES).map(bytes)
events = st.lists(
    st.tuples(
        pages,
        st.booleans(),
        st.integers(1, 8),
        st.sampled_from(
            [0, link.ORGANIC, link.ORGANIC | link.UGC, link.FOLLOWED, link.NOFOLLOW | link.BARE, link.PLAIN_ANCHOR]
        ),
        st.sampled_from(
            [0, 1, link_traits.placement("nav"), link_traits.placement("content") | 2, link_traits.authority(40)]
        ),
        st.sampled_from([0, 0, 1, 3]),
        st.sampled_from([link.NOT_KNOWN, 1, 10]),
    ),
    max_size=120,
)
UNKNOWN = Link(0, 0, 0)
# Page, gained, at_ms, flags, traits, how long after that it was seen, and the reason of a loss.
Event = tuple[bytes, bool, int, int, int, int, int]
Known = tuple[Link, int]  # a link, and its traits
LOOKS = (
    (link.NOFOLLOW | link.UGC | link.FOLLOWED, 0),
    (link.PLAIN_ANCHOR, link_traits.ANCHOR),
    (link.BARE, 0),
    (0, link_traits.PLACEMENT),
)


def _domain(page: bytes) -> bytes:
    return page[:DOMAIN_BYTES]


def _told(history: list[Event]) -> tuple[Known, list[int]]:
    """Return what the events of one page say together, and when each part of its look was said: from all at once."""
    known, traits = UNKNOWN, 0
    for _, gained, at_ms, flags, said, _, reason in history:
        known = link.seen(known, gained=gained, at_ms=at_ms, flags=flags, lost_reason=0 if gained else reason)
        traits = link_traits.joined(traits, said) if gained else traits
    flags, times = known.flags, []
    for of_flags, of_traits in LOOKS:
        said = [(event[2] + event[5], event[3] & of_flags, event[4] & of_traits) for event in history if event[1]]
        times.append(newest := max((at_ms for at_ms, *look in said if any(look)), default=0))
        flags, traits = flags & ~of_flags, traits & ~of_traits
        for at_ms, look_flags, _ in said:
            flags |= look_flags * (at_ms == newest)
        traits |= max((look for at_ms, _, look in said if at_ms == newest), default=0)
    return (known._replace(flags=flags), traits), times


def _see(segment: Segment, seen: dict[bytes, list[Event]], history: list[Event]) -> None:
    """Apply events to both, and compare what the segment says of each."""
    for event in history:
        page, gained, at_ms, flags, traits, later_ms, reason = event
        events = seen.setdefault(page, [])
        before, after = _told(events), _told([*events, event])
        events.append(event)
        looked_ms = at_ms + later_ms if later_ms else 0
        effect, is_news = segment.apply(
            page,
            _domain(page),
            gained,
            at_ms,
            flags | traits << link.FLAG_BITS,
            looked_ms=looked_ms,
            lost_reason=0 if gained else reason,
        )
        assert is_news == (after != before)
        assert effect == (link.effect(before[0][0], after[0][0], gained=gained) if is_news else Effect.SEEN_AGAIN)


def _content(segment: Segment) -> dict[bytes, tuple[bytes, Known]]:
    return {
        bytes(segment.pages[number * PAGE_BYTES : (number + 1) * PAGE_BYTES]): (
            bytes(segment.domains[number * DOMAIN_BYTES : (number + 1) * DOMAIN_BYTES]),
            (segment.link(number), segment.traits[number]),
        )
        for number in range(len(segment))
    }


def _expected(seen: dict[bytes, list[Event]]) -> dict[bytes, tuple[bytes, Known]]:
    return {page: (_domain(page), _told(events)[0]) for page, events in seen.items()}


def _looked(segment: Segment) -> dict[bytes, tuple[int, ...]]:
    return {known.page: known.looked for known in segment.known()}


@examples(200)
@given(events, events)
def test_behaves_like_a_dict_of_links(before: list[Event], after: list[Event]) -> None:
    """It holds what the events lead to, and says what each did; also when it was bytes in between."""
    seen: dict[bytes, list[Event]] = {}
    segment = Segment()
    _see(segment, seen, before)
    segment = Segment.decode(segment.encode())
    _see(segment, seen, after)
    assert _content(segment) == _expected(seen)
    assert _looked(segment) == {page: tuple(_told(events)[1]) for page, events in seen.items()}
    assert len(segment) == len(seen)


@examples(200)
@given(events, events, st.randoms())
def test_order_and_parts_change_nothing(one: list[Event], other: list[Event], chance: Random) -> None:
    """Events in another order, some of them again, or joined from two segments, lead to the same."""
    expected, shuffled, joined, part = Segment(), Segment(), Segment(), Segment()
    _see(expected, {}, [*one, *other])
    again = [*one, *other, *one[:5]]
    chance.shuffle(again)
    _see(shuffled, {}, again)
    _see(joined, {}, one)
    _see(part, {}, other)
    for known in [*part.known(), *part.known()]:
        joined.join(known)
    assert _content(shuffled) == _content(joined) == _content(expected)
    assert _looked(shuffled) == _looked(joined) == _looked(expected)


@given(events)
def test_an_older_version_reads_the_newest_change(history: list[Event]) -> None:
    """It takes the last instant of a link for that of its newest change, and knows nothing of looks."""
    segment = Segment()
    _see(segment, {}, history)
    columns = segment.encode()[2 + len(segment) * 26 :]
    newest = {}
    for at in range(0, len(columns), 8):
        each = int.from_bytes(columns[at : at + 8], "little")
        newest[each >> 48] = each & (1 << 48) - 1
    for number in range(len(segment)):
        first_ms, newest_ms, *_ = segment.link(number)
        assert newest.get(number, first_ms) == newest_ms


@given(events)
def test_a_version_without_reasons_reads_the_looks(history: list[Event]) -> None:
    """It takes the last instant of a link for its newest change, and what is before that for the times of its look."""
    segment = Segment()
    _see(segment, {}, history)
    columns = segment.encode()[2 + len(segment) * 26 :]
    numbers: dict[int, list[int]] = {}
    for at in range(0, len(columns), 8):
        each = int.from_bytes(columns[at : at + 8], "little")
        numbers.setdefault(each >> 48, []).append(each & (1 << 48) - 1)
    for number in range(len(segment)):
        *before, newest_ms = numbers.get(number, [segment.link(number).first_gained_ms])
        assert newest_ms == segment.link(number).newest_ms
        if not before:
            assert number not in segment.looked
            continue
        codes = [before[0] >> place & 7 for place in (0, 3, 6, 9)]
        times = tuple(before[code] if code else 0 for code in codes)
        assert times == segment.looked.get(number, (0, 0, 0, 0))


WRITTEN_BEFORE = bytes.fromhex(
    "0300313131313131313132323232323232323333333333333333646f6d61696e646f6d61696e646f6d61696e0d00e803000000001300e803000000"
    "0002000000000000000000000000000000000000000100000000000100d007000000000100b80b000000000100a00f000000000200"
)
"""What the version that knew looks, and no reasons, wrote."""


@pytest.mark.parametrize("reason", [link.NOT_KNOWN, 2])
def test_what_was_written_before_reasons_were_kept_is_read(reason: int) -> None:
    """Links of the version before, as its bytes: they read the same, are written the same, and then take reasons."""
    segment = Segment.decode(WRITTEN_BEFORE)
    assert segment.encode() == WRITTEN_BEFORE
    assert [known.link for known in segment.known()] == [
        Link(1_000, 1_000, link.GAINED | link.LIVE | link.ORGANIC),
        Link(1_000, 3_000, link.GAINED | link.LOST | link.NOFOLLOW),
        Link(0, 4_000, link.LOST),
    ]
    assert [known.looked for known in segment.known()] == [(0, 0, 0, 0), (2_000, 0, 0, 0), (0, 0, 0, 0)]
    for page, at_ms in ((b"2" * 8, 3_000), (b"3" * 8, 5_000)):
        segment.apply(page, b"domain", False, at_ms, 0, lost_reason=reason)
    again = Segment.decode(segment.encode())
    assert [known.link.lost_reason for known in again.known()] == [0, reason, reason]
    assert again.look_of(1, again.link(1)).times == (2_000, 0, 0, 0)
    assert len(again.encode()) == len(WRITTEN_BEFORE) + (8 if reason else 0)


@pytest.mark.parametrize("numbers", [(7, 1, 5), (0, 0o7777, 5), (0, 0o1000, 5)])
def test_damaged_times_are_refused(numbers: tuple[int, int, int]) -> None:
    """Times of a link that is not there, or that are not there themselves, are not believed."""
    segment = Segment()
    segment.apply(bytes(PAGE_BYTES), bytes(DOMAIN_BYTES), True, 5, 0)
    number, *instants = numbers
    damaged = b"".join((number << 48 | instant).to_bytes(8, "little") for instant in instants)
    with pytest.raises(ValueError, match="no"):
        Segment.decode(segment.encode() + damaged)


@given(events.filter(lambda history: len({event[0] for event in history}) > 1))
def test_a_split_keeps_every_link(history: list[Event]) -> None:
    """Every link is in the half where it is looked for, and neither half is empty."""
    links: dict[bytes, list[Event]] = {}
    lower = Segment()
    _see(lower, links, history)
    looked = _looked(lower)
    low, upper = lower.split()
    assert _content(lower) == _expected({page: each for page, each in links.items() if page < low})
    assert _content(upper) == _expected({page: each for page, each in links.items() if page >= low})
    assert _looked(lower) | _looked(upper) == looked
    assert len(lower)
    assert len(upper)


def test_a_link_takes_26_bytes() -> None:
    """What is kept of a link that was gained once."""
    segment = Segment()
    for number in range(100):
        page = number.to_bytes(PAGE_BYTES, "big")
        segment.apply(page, _domain(page), True, 1_780_000_000_000, link.ORGANIC)
    assert len(segment.encode()) == 2 + 100 * 26
