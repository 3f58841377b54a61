"""What link events say of their links reaches the verdict, in any order, through the changelog."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from flatline.agents.links import LinkAgent
from flatline.domain.judgement.evidence import Evidence
from flatline.domain.judgement.judgement import judge
from flatline.domain.judgement.verdict import verdict_on
from flatline.domain.learned.hazard import Hazard
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.quality.article_link_value import WEIGHED_AT_ONCE_MAX, DailyLinkValues, article_link_value
from flatline.domain.quality.link_value import LinkValue, link_value_of
from flatline.domain.state import link
from flatline.domain.state.article import Article, Header, LinkObservation, Registration
from flatline.domain.state.rhythm import Rhythm
from flatline.domain.state.segment import Segment
from flatline.domain.state.totals import totals_of
from flatline.domain.state.visits import DayOfVisits
from flatline.domain.time import DAY_MS
from flatline.engine.due_queue import DueQueue
from flatline.engine.log import MicroBatch
from flatline.engine.partition import Partition
from flatline.metrics import WorkerMetrics
from flatline.schema.topics import Topics
from tests.examples import examples

TOPICS = Topics(partitions=1)
KEY = b"https://yours.example/article"
NOW_MS = 1_780_000_000_000  # 2026-05-28


class Written(NamedTuple):
    """A record as the Kafka client gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def _event(site: str, **fields: object) -> dict[str, object]:
    occurred_at = "2026-05-01T12:00:00Z"
    return {"url_from": f"https://{site}/a", "url_to": KEY.decode(), "occurred_at": occurred_at, **fields}


EVENTS = [
    _event("a.example", placement="footer"),
    _event("a.example", placement="content", context="Somebody wrote at length about this article of theirs."),
    _event("b.example", placement="footer", rel=["nofollow"]),
    _event("b.example", change="lost", placement="content", occurred_at="2026-05-02T12:00:00Z"),
    _event("c.example", page={"type": "AdvertiserContentArticle"}),
    _event("c.example", page={"title": "Interview with us"}),
    _event("d.example", authority=50, anchor="cheap car insurance", discovery="import"),
    _event("e.example"),
]


def _partition(events: list[dict[str, object]]) -> Partition:
    """Return a partition restored from the changelog of one that these events came to."""
    partition, restored = Partition(), Partition()
    agent = LinkAgent(topics=TOPICS, metrics=WorkerMetrics(CollectorRegistry()))
    for offset, event in enumerate(events):
        record = Written(offset, NOW_MS, KEY, msgspec.json.encode(event))
        agent.apply(MicroBatch(TOPICS.links.name, 0, [record]), partition, now_ms=NOW_MS)
    for key, value in partition.take_changes():
        restored.restore(key, value)
    return restored


def _link_value(events: list[dict[str, object]]) -> LinkValue:
    article = _partition(events).peek(KEY)
    assert article is not None
    return article_link_value(article, quality_min=0.25)


def test_what_events_say_of_links_is_weighed() -> None:
    """The footer, the sponsored page and the stuffed anchor are thin; what is said of a lost link counts nothing."""
    link_value = _link_value(EVENTS)
    assert link_value.thin == 3
    assert Counter(against for _, against in link_value.thin_days) == {"in a footer": 1, "on a sponsored page": 1}
    a, b, c, e = 0.5 * 1.3 * 1.2, 0.5 * 0.2 * 0.7, 0.5 * 0.15, 0.5
    d = 0.5 * 0.4 * 0.7 * 2**0.5
    assert link_value.weighted == pytest.approx(a + b + c + d + e)
    assert sum(link_value.days.values()) == 2


@examples(30)
@given(st.permutations(EVENTS), st.lists(st.sampled_from(EVENTS), max_size=4))
def test_order_and_repetition_change_nothing(events: list[dict[str, object]], again: list[dict[str, object]]) -> None:
    """Whatever the order of events, and however often they come, the links are worth the same."""
    link_value, expected = _link_value([*events, *again]), _link_value(EVENTS)
    assert link_value.weighted == pytest.approx(expected.weighted)
    assert link_value[1:] == expected[1:]


LATER = "2026-05-10T12:00:00Z"
CHANGES = [
    _event("a.example", rel=[], placement="content", anchor="here"),
    _event("a.example", rel=["nofollow"], occurred_at="2026-05-03T12:00:00Z"),
    _event("a.example", placement="footer", observed_at=LATER),
    _event("a.example", change="lost", occurred_at="2026-05-04T12:00:00Z"),
    _event("a.example", rel=["ugc"], occurred_at="2026-05-03T11:00:00Z"),
    _event("b.example", rel=["nofollow"], flags=["canonical"]),
    _event("b.example", rel=[], observed_at=LATER),
]


@examples(60)
@given(st.permutations(CHANGES), st.lists(st.sampled_from(CHANGES), max_size=4))
def test_a_link_that_changes_has_its_newest_look(
    events: list[dict[str, object]], again: list[dict[str, object]]
) -> None:
    """It turned nofollow and moved to the footer, another is followed again: in any order, also from the changelog."""
    article = _partition([*events, *again]).peek(KEY)
    assert article is not None
    totals = article.totals
    assert (totals.gained, totals.nofollow, totals.ugc, totals.live) == (2, 1, 0, 1)
    link_value = article_link_value(article, quality_min=0.25)
    assert link_value.weighted == pytest.approx(0.5 * 0.7 * 0.9 * 0.2 + 0.5)
    assert link_value.thin == 1


def test_visits_save_a_link() -> None:
    """Once its domain has sent somebody, a link from a footer matters."""
    article = _partition(EVENTS[2:3]).peek(KEY)
    assert article is not None
    assert article_link_value(article, quality_min=0.25).thin == 1
    (domain,) = {row[2] for segment in article.segments for row in segment.rows()}
    article.apply_visits([DayOfVisits(domain, NOW_MS // DAY_MS, 7)])
    assert article_link_value(article, quality_min=0.25).thin == 0


def test_the_registered_title_is_a_natural_anchor() -> None:
    """Many domains may call an article by its title."""
    events = [_event(f"site-{number}.example", anchor="how engines think") for number in range(6)]
    article = _partition(events).peek(KEY)
    assert article is not None
    assert article_link_value(article, quality_min=0.25).thin == 6
    article.header.registration = Registration(title="How engines think | Ours")
    assert article_link_value(article, quality_min=0.25).thin == 0


def test_an_article_counts_once_a_day_in_the_reputations() -> None:
    """However often it changes, it is surveyed at its first judgement of a UTC day."""
    due, midnight_ms = DueQueue([KEY]), NOW_MS // DAY_MS * DAY_MS
    article, thresholds, hazard = Article(KEY, Header(NOW_MS), Segment()), Thresholds(), Hazard()
    judgement = judge(Evidence(None, NOW_MS), previous=None, now_ms=NOW_MS, thresholds=thresholds, hazard=hazard)
    verdict = verdict_on(article, judgement, horizon_days=180, now_ms=NOW_MS)
    for at_ms, is_first in ((midnight_ms, True), (midnight_ms + 5, False), (midnight_ms + DAY_MS, True)):
        assert due.is_first_of_day(KEY, at_ms) == is_first
        due.judged(KEY, verdict, next_ms=at_ms + DAY_MS)


def test_very_many_links_are_weighed_once_a_day() -> None:
    """What few links are worth is always new; that of very many is of the first judgement of the day."""
    for links, is_kept in ((WEIGHED_AT_ONCE_MAX, False), (WEIGHED_AT_ONCE_MAX + 1, True)):
        article, daily = Article(KEY, Header(NOW_MS), Segment()), DailyLinkValues()
        _gain(article, range(links))
        before = daily.of(article, quality_min=0.25, may_be_of_today=True)
        _gain(article, [links])
        assert (daily.of(article, quality_min=0.25, may_be_of_today=True) == before) == is_kept
        assert sum(daily.of(article, quality_min=0.25).days.values()) == links + 1
        assert sum(daily.of(article, quality_min=0.25, may_be_of_today=True).days.values()) == links + 1


def test_those_of_an_article_that_moved_are_weighed_once_a_day() -> None:
    """It is put together anew for each judgement, and what was found of the same article is kept, up to a limit."""
    daily = DailyLinkValues(kept_max=1)

    def value_of(key: bytes, links: int) -> LinkValue:
        article = Article(key, Header(NOW_MS), Segment())
        _gain(article, range(links))
        shown = Article.to_look_at(key, [article, Article(b"https://former.example/", Header(NOW_MS), Segment())])
        return daily.of(shown, quality_min=0.25, may_be_of_today=True)

    before = value_of(KEY, WEIGHED_AT_ONCE_MAX + 1)
    assert value_of(KEY, WEIGHED_AT_ONCE_MAX + 2) is before
    value_of(b"https://other.example/", WEIGHED_AT_ONCE_MAX + 1)
    assert value_of(KEY, WEIGHED_AT_ONCE_MAX + 2) is not before


def _gain(article: Article, numbers: Iterable[int]) -> None:
    seen = [LinkObservation(KEY, number.to_bytes(8), bytes(6), True, NOW_MS, link.ORGANIC) for number in numbers]
    article.apply(seen, Counter())


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 40), st.booleans(), st.booleans()), max_size=30))
def test_what_an_article_knows_of_its_links_is_what_a_fresh_look_gives(
    events: list[tuple[int, int, bool, bool]],
) -> None:
    """After any events, neither its rhythm nor the value of its links is that of before."""
    article = Article(KEY, Header(NOW_MS), Segment())
    for page, day, gained, is_thin in events:
        flags_and_traits = link.ORGANIC | is_thin * (link.SPONSORED | link.STUFFED_ANCHOR)
        article.apply(
            [LinkObservation(KEY, page.to_bytes(8), bytes(6), gained, day * DAY_MS, flags_and_traits)], Counter()
        )
        link_value = article_link_value(article, quality_min=0.25)
        assert link_value == link_value_of(article.segments, quality_min=0.25)
        assert article.rhythm == Rhythm.of(totals_of(article.segments).days)
