"""What two partitions know of an article, joined part by part, is what one would know that had seen everything."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.state import link
from flatline.domain.state.article import Article, Header, LinkObservation, Registration
from flatline.domain.state.link import Effect
from flatline.domain.state.segment import Segment
from flatline.domain.state.visits import DayOfVisits
from flatline.domain.time import DAY_MS
from flatline.domain.urls.fingerprints import DOMAIN_BYTES, PAGE_BYTES
from tests.examples import examples

KEY = b"https://yours.example/article"
T0_MS = 1_600_000_000_000
WEEK_MS = 7 * DAY_MS
# Times that lie weeks apart, or at the same instant.
times = st.sampled_from([T0_MS + ms for ms in (0, 1, WEEK_MS, 3 * WEEK_MS, 60 * WEEK_MS)])
flags_and_traits = st.sampled_from(
    [0, link.ORGANIC, link.UGC, link.FOLLOWED, link.ORGANIC | 7 << link.FLAG_BITS, link.UGC | link.PLAIN_ANCHOR]
)


def _observation(
    page: int, is_gain: bool, at_ms: int, mark: int, source: str | None, *, later_ms: int = 0
) -> LinkObservation:
    fingerprint = (page * 0x9E3779B97F4A7C15 % (1 << 64)).to_bytes(PAGE_BYTES, "big")
    return LinkObservation(
        KEY,
        fingerprint,
        fingerprint[:DOMAIN_BYTES],
        is_gain,
        at_ms,
        mark if is_gain else 0,
        source,
        looked_ms=at_ms + later_ms if later_ms else 0,
    )


observations = st.builds(
    _observation,
    st.integers(0, 9),
    st.booleans(),
    times,
    flags_and_traits,
    st.sampled_from([None, "crawler", "vendor"]),
    later_ms=st.sampled_from([0, WEEK_MS, 2 * WEEK_MS]),
)
# More than a segment has room for, in runs of pages that both know, or one of them.
runs = st.builds(
    lambda begin, count, at_ms: [_observation(page, True, at_ms, 0, None) for page in range(begin, begin + count)],
    st.integers(0, 400),
    st.sampled_from([0, 3, 200, 400]),
    times,
)


def _report(domain: int, day: int, visits: int) -> DayOfVisits:
    return DayOfVisits(domain.to_bytes(DOMAIN_BYTES, "big"), day, visits)


# Of more domains than a year has room for, or of few.
reports = st.one_of(
    st.lists(st.builds(_report, st.integers(0, 400), st.integers(0, 400), st.integers(0, 400))),
    st.builds(
        lambda begin, count, day: [_report(domain, day, domain % 7) for domain in range(begin, begin + count)],
        st.integers(0, 300),
        st.sampled_from([100, 256, 300]),
        st.integers(0, 2),
    ),
)
registrations = st.lists(
    st.builds(
        Registration,
        title=st.sampled_from(["A", "B"]),
        tier=st.sampled_from([1, 2]),
        recorded_ms=st.integers(1, 3),
        aliases=st.sampled_from([(), ("https://old.example/",)]),
    )
)
knowledge = st.tuples(st.lists(observations, max_size=12), runs, reports, registrations, st.sampled_from([0, 2]))
Knowledge = tuple[list[LinkObservation], list[LinkObservation], list[DayOfVisits], list[Registration], int]


def _article(*known: Knowledge) -> Article:
    article = Article(KEY, Header(watched_since_ms=1), Segment())
    effects: defaultdict[tuple[str | None, Effect], int] = defaultdict(int)
    for seen, run, visits, registered, removed_ms in known:
        article.apply([*seen, *run], effects)
        article.apply_visits(visits)
        article.remove(removed_ms)
        for registration in registered:
            article.register(registration)
    return article


def _all_of(article: Article) -> tuple[object, ...]:
    """Return all that an article holds, in a form that doesn't depend on the order in which it came."""
    links = {known.page: known for segment in article.segments for known in segment.known()}
    header = article.header
    return links, header.sources, header.registration, header.removed_ms, article.visits.sent(), article.totals


@examples(60)
@given(knowledge, knowledge)
def test_joined_part_by_part(one: Knowledge, other: Knowledge) -> None:
    """Records as the changelog has them, in any order, and once more, add up to what all events say."""
    joined, copied = _article(one), _article(other)
    parts = [(b"", copied.encode()), *copied.encode_further(only_changed=False)]
    for low, record in [*parts, *reversed(parts)]:
        joined.join_part(Article.decode_part(KEY, low, record))
    assert _all_of(joined) == _all_of(_article(other, one))


@examples(60)
@given(st.lists(knowledge, min_size=1, max_size=3))
def test_put_together_to_look_at(known: list[Knowledge]) -> None:
    """What is shown of several addresses is what one would know that had seen everything; they stay as they were."""
    parts = [_article(each) for each in known]
    before = [_all_of(part) for part in parts]
    article = Article.to_look_at(KEY, parts)
    assert _all_of(article) == _all_of(_article(*reversed(known)))
    assert sum(map(len, article.segments)) == len(_all_of(article)[0])  # type: ignore[arg-type]
    assert [_all_of(part) for part in parts] == before


def test_what_only_one_knows_is_not_taken_apart() -> None:
    """Of links that only one address has, the segments are the same: that takes no time for each link."""
    one, other = (
        _article(([], [_observation(page, True, T0_MS, 0, None) for page in pages], [], [], 0))
        for pages in (range(1_000), range(990, 2_000))
    )
    theirs = [*one.segments, *other.segments]
    shown = Article.to_look_at(KEY, [one, other]).segments
    assert len([segment for segment in shown if not any(segment is each for each in theirs)]) <= 2 * 10


def test_what_is_shown_is_not_written() -> None:
    """Its segments are in no order: nobody would find a link in them."""
    shown = Article.to_look_at(KEY, [_article(([], [_observation(1, True, T0_MS, 0, None)], [], [], 0))])
    with pytest.raises(ValueError, match="zip"):
        list(shown.encode_further(only_changed=False))
