"""An article's totals against sets, in any order, through any number of encodings."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.state.addresses import shown
from flatline.domain.state.article import FORMATS_MAX, Article, Header, LinkObservation, UnknownFormatError
from flatline.domain.state.link import NOFOLLOW, ORGANIC, Effect
from flatline.domain.state.rhythm import Rhythm
from flatline.domain.state.segment import Segment
from flatline.domain.time import DAY_MS, LATEST_MS, to_ms
from tests.examples import examples

T0 = to_ms(datetime(2025, 1, 1, tzinfo=UTC))

Event = tuple[int, bool, int, bool, bool]  # page, gained, hour, organic, nofollow
events = st.lists(
    st.tuples(st.integers(0, 9), st.booleans(), st.integers(1, 90), st.booleans(), st.booleans()), max_size=40
)


def _page(number: int) -> bytes:
    """Return a fingerprint: all different, and in no order."""
    return (number * 0x9E3779B97F4A7C15 % (1 << 64)).to_bytes(8, "big")


def _see(article: Article, event: Event) -> Effect:
    page, gained, hour, organic, nofollow = event
    flags, source = ORGANIC * organic | NOFOLLOW * nofollow, f"crawler-{page % 2}"
    effects = Counter[tuple[str | None, Effect]]()
    at_ms, domain = T0 + hour * 3_600_000, (page // 3).to_bytes(6, "big")
    article.apply([LinkObservation(article.key, _page(page), domain, gained, at_ms, flags, source)], effects)
    ((of, effect),) = effects
    assert of == source
    return effect


def _figures(article: Article) -> tuple[object, ...]:
    totals = article.totals
    return (
        totals.gained,
        totals.lost,
        totals.live,
        totals.nofollow,
        totals.referring_domains,
        totals.first_gained_ms,
        totals.last_gained_ms,
        totals.days,
        article.header.sources,
        article.rhythm,
    )


def _expected(history: list[Event]) -> tuple[object, ...]:
    """Count the plain way: everything at once, with sets."""
    gained = {event[0] for event in history if event[1]}
    lost = {event[0] for event in history if not event[1]} & gained
    live, first_ms, days, weeks = set(), {}, Counter[int](), defaultdict[str, set[int]](set)
    for page in gained:
        mine = [event for event in history if event[0] == page]
        newest = max(event[2] for event in mine)
        if any(event[1] and event[2] == newest for event in mine):
            live.add(page)
        first = min(event[2] for event in mine if event[1])
        first_ms[page] = T0 + first * 3_600_000
        if any(event[1] and event[2] == first and event[3] for event in mine):
            days[first_ms[page] // DAY_MS] += 1
        source = f"crawler-{page % 2}"
        weeks[source] |= {(T0 + 3_600_000 * event[2]) // (7 * DAY_MS) for event in mine if event[1]}
    sources = {
        source: max(seen) << 48 | sum(1 << max(seen) - week for week in seen if max(seen) - week < 48)
        for source, seen in weeks.items()
    }
    return (
        len(gained),
        len(lost),
        len(live),
        len({event[0] for event in history if event[1] and event[4]}),
        len({page // 3 for page in gained}),
        min(first_ms.values(), default=0),
        max(first_ms.values(), default=0),
        days,
        sources,
        Rhythm.of(days),
    )


@examples(300)
@given(events, st.data())
def test_totals_agree_with_sets(history: list[Event], data: st.DataObject) -> None:
    """Whatever the order and the repetitions, the figures are those of a count over sets."""
    article = Article(b"key", Header(T0), Segment())
    again = data.draw(st.lists(st.sampled_from(history))) if history else []
    for event in data.draw(st.permutations([*history, *again])):
        _see(article, event)
    assert _figures(article) == _expected(history)


@given(events)
def test_effects_add_up(history: list[Event]) -> None:
    """As many events are said to have gained a link as there are links; lost minus restored are those not live."""
    article = Article(b"key", Header(T0), Segment())
    effects = Counter(_see(article, event) for event in history)
    totals = article.totals
    assert effects[Effect.GAINED] == totals.gained
    never_live = totals.gained - totals.live - (effects[Effect.LOST] - effects[Effect.RESTORED])
    assert never_live >= 0  # links whose loss was reported before their gain


floors = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9), st.booleans()), max_size=8)  # page, hour, is_floor


@given(floors, floors, st.randoms(), st.integers(0, 9))
def test_that_counts_are_minimums_is_a_function_of_the_events(
    one: list[tuple[int, int, bool]], other: list[tuple[int, int, bool]], chance: Random, removed_hour: int
) -> None:
    """The newest event that says so counts, in whatever order and place; a removal covers those before it."""

    def of(events: list[tuple[int, int, bool]]) -> Article:
        article = Article(b"key", Header(T0), Segment())
        seen = [
            LinkObservation(b"key", _page(page), b"domain", True, T0 + hour * 3_600_000, 0, is_floor=is_floor)
            for page, hour, is_floor in events
        ]
        article.apply(seen, Counter())
        return Article.decode(b"key", article.encode(), {})

    shuffled = [*one, *other, *one]
    chance.shuffle(shuffled)
    joined = of(one)
    joined.join_part(of(other))
    said = max((hour for _, hour, is_floor in [*one, *other] if is_floor), default=0)
    expected = T0 + said * 3_600_000 if said else 0
    assert joined.header.floor_ms == of(shuffled).header.floor_ms == expected
    joined.remove(T0 + removed_hour * 3_600_000)
    assert shown(b"key", [joined]).header.floor_ms == (expected if said > removed_hour else 0)


@given(events, events)
def test_encoding_keeps_everything(before: list[Event], after: list[Event]) -> None:
    """An article that is written and read in between ends like one that stayed in memory."""
    stays = Article(b"key", Header(T0), Segment())
    for event in before:
        _see(stays, event)
    read = Article.decode(b"key", stays.encode(), dict(stays.encode_further(only_changed=False)))
    for event in after:
        _see(stays, event)
        _see(read, event)
    assert _figures(read) == _figures(stays)


def test_a_gain_at_the_last_instant_is_encoded() -> None:
    """A record whose own time is in microseconds is of the last year that there is; its source is kept, too."""
    article = Article(b"https://yours.example/", Header(watched_since_ms=1), Segment())
    article.apply([LinkObservation(article.key, bytes(8), bytes(6), True, LATEST_MS, ORGANIC, "crawler")], Counter())
    decoded = Article.decode(article.key, article.encode(), {})
    assert decoded.header.sources == article.header.sources
    assert decoded.header.sources.keys() == {"crawler"}


def test_many_links_are_written_in_parts() -> None:
    """With 5,000 links known, one more makes a few kilobytes to write, not all; and nothing is lost on the way."""
    article, written = Article(b"key", Header(T0), Segment()), dict[bytes, bytes]()
    article.apply(
        [
            LinkObservation(b"key", _page(number), number.to_bytes(6, "big"), True, T0 + number, ORGANIC)
            for number in range(5_000)
        ],
        Counter(),
    )
    written.update(article.encode_further(only_changed=True))
    article.apply([LinkObservation(b"key", _page(9_999), b"domain", True, T0, ORGANIC)], Counter())
    one_more = dict(article.encode_further(only_changed=True))
    assert sum(map(len, one_more.values())) + len(article.encode()) < 10_000
    read = Article.decode(b"key", article.encode(), {**written, **one_more})
    assert (read.totals.gained, read.totals.referring_domains, read.totals.days) == (5_001, 5_001, article.totals.days)


def test_fields_may_be_added() -> None:
    """A record of a version that knows more reads as far as it is known; one of an older version takes the default."""
    article = Article(b"key", Header(T0, {"crawler": T0}), Segment())
    _see(article, (1, True, 1, True, False))
    record = article.encode()
    header, links = msgspec.msgpack.decode(record[1:])
    longer = record[:1] + msgspec.msgpack.encode([[*header, "of tomorrow"], links, "of tomorrow"])
    shorter = record[:1] + msgspec.msgpack.encode([header[:2], links])
    assert Article.decode(b"key", longer, {}).encode() == record
    assert Article.decode(b"key", shorter, {}).encode() == record


@pytest.mark.parametrize("value", [b"\x01" + b"anything", b"\x03", bytes([FORMATS_MAX])])
def test_another_format_is_named(value: bytes) -> None:
    """State in a format that this version does not know is refused, and the message says what to do."""
    with pytest.raises(UnknownFormatError, match="Run the version of Flatline that wrote it"):
        Article.decode(b"key", value, {})


@pytest.mark.parametrize("value", [b"", b"\0", b"{}", b"https://", b"\xff"])
def test_what_no_version_wrote_is_no_format(value: bytes) -> None:
    """Bytes that somebody else put there are not taken for the state of a later version, which would end the worker."""
    with pytest.raises(ValueError, match="no state begins with"):
        Article.decode(b"key", value, {})


@pytest.mark.parametrize(("today", "days"), [(12, 3), (9, 0), (8, 0)], ids=["past", "today", "a clock behind"])
def test_a_pause_is_never_shorter_than_nothing(today: int, days: int) -> None:
    """The newest link may be of a day that the clock of whoever judges has not reached."""
    rhythm = Rhythm.of([2, 9])
    assert rhythm is not None
    assert rhythm.days_since_last_link(today) == days
