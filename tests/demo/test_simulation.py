from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pytest

from flatline.demo import story
from flatline.demo.simulation import Simulation
from flatline.demo.titles import CRAWLERS, title_of
from flatline.domain.judgement.evidence import evidence_of
from flatline.domain.judgement.judgement import judge
from flatline.domain.learned.hazard import Hazard
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.state.article import Article, Header, LinkObservation
from flatline.domain.state.link import ORGANIC
from flatline.domain.state.previous_verdict import PreviousVerdict
from flatline.domain.state.segment import Segment
from flatline.domain.time import DAY_MS, to_datetime, to_ms
from flatline.domain.urls.canonical import canonicalize
from flatline.domain.urls.fingerprints import referrer
from flatline.domain.visibility.sources import Sources
from flatline.domain.visibility.visibility import Visibility
from flatline.schema import codec
from flatline.schema.article_record import ArticleRecord
from flatline.schema.heartbeat import Heartbeat
from flatline.schema.verdict import State
from flatline_connectors.files.lines import LineFile

BEGIN_DAY = 20_000
# Between a link and its report.
HELD_UP_DAYS = 15
# Who stays to look around sees so much more of it.
DAYS_WITH_AFTERMATH = story.DAYS + 60

Life = list[State]  # the state on each day of the story


@cache
def simulation() -> Simulation:
    """Return the one that the demo plays, on other days."""
    with TemporaryDirectory() as folder:
        return Simulation(BEGIN_DAY, Path(folder))


def records() -> list[ArticleRecord]:
    """Return what the team registers."""
    return [codec.articles.decode(article.record) for article in simulation().simulated_articles]


@cache
def lives(*, with_visibility: bool = True, late_days: int = 0, days: int = DAYS_WITH_AFTERMATH) -> dict[str, Life]:
    """Have the domain's code follow all reports, as a worker would, and return each article's life by its title.

    Without visibility the judgement knows nothing of sources. Reports and heartbeats come ``late_days`` too late.
    """
    played = simulation()
    articles = {
        canonicalize(record.url): Article(record.url.encode(), Header(played.begins_ms), Segment())
        for record in records()
    }
    previous_verdicts: dict[str, PreviousVerdict] = {}
    told: dict[str, Life] = {key: [] for key in articles}
    sources = Sources()
    read_ms = 0  # all of the past
    for day in range(BEGIN_DAY, BEGIN_DAY + days):
        now_ms = day * DAY_MS + DAY_MS // 2
        until_ms = now_ms - late_days * DAY_MS
        for report in played.reports(from_ms=read_ms, until_ms=until_ms):
            see(articles, report.line)
        read_ms = until_ms
        for crawler in played.sources(until_ms):
            sources.receive(heartbeat(crawler, until_ms, period_days=played.period_days))
        visibility = sources.visibility(now_ms) if with_visibility else Visibility()
        for key, article in articles.items():
            judgement = judge(
                evidence_of(article, visibility, now_ms=now_ms),
                previous=previous_verdicts.get(key),
                now_ms=now_ms,
                thresholds=Thresholds(),
                hazard=Hazard(),
            )
            previous_verdicts[key] = judgement.as_previous_verdict()
            told[key].append(judgement.state)
    return {str(record.title): told[canonicalize(record.url)] for record in records()}


def see(articles: dict[str, Article], line: bytes) -> None:
    """Apply an event to its article."""
    event = codec.links.decode(line)
    assert event.occurred_at
    assert event.observed_at
    assert event.occurred_at <= event.observed_at
    at_ms, is_gained = to_ms(event.occurred_at), event.change == "gained"
    article = articles[canonicalize(event.url_to)]
    observation = LinkObservation(article.key, *referrer(event.url_from), is_gained, at_ms, ORGANIC, event.source)
    article.apply([observation], Counter())


def heartbeat(crawler: str, at_ms: int, *, period_days: float) -> Heartbeat:
    """Return one that says that all until then was seen."""
    now = to_datetime(at_ms)
    return Heartbeat(source=crawler, sent_at=now, seen_until=now, period_s=period_days * DAY_MS / 1000)


def those(lives: dict[str, Life], has: Callable[[Life], bool]) -> set[str]:
    """Return the titles of the articles whose life is such."""
    return {title for title, life in lives.items() if has(life)}


def titles_of(crawler: str) -> set[str]:
    """Return the titles of the articles whose links a crawler finds."""
    articles = simulation().simulated_articles
    return {title_of(each.series, each.subject) for each in articles if each.series.crawler == crawler}


STOPPED = {title_of(*article) for article in story.STOPPED}


@pytest.mark.long
def test_is_the_same_every_time(tmp_path: Path) -> None:
    """Neither the hour nor the machine plays a part; on another day it is the same, moved."""
    first, again, moved = simulation(), *(Simulation(BEGIN_DAY + days, tmp_path) for days in (0, 7))
    ends_ms = first.ends_ms
    assert first.reports(from_ms=0, until_ms=ends_ms) == again.reports(from_ms=0, until_ms=ends_ms)
    later = moved.reports(from_ms=0, until_ms=ends_ms + 7 * DAY_MS)
    assert [(r.at_ms - 7 * DAY_MS, r.source, orjson.loads(r.line)["url_from"]) for r in later] == [
        (r.at_ms, r.source, orjson.loads(r.line)["url_from"]) for r in first.reports(from_ms=0, until_ms=ends_ms)
    ]


def test_has_the_size_that_is_promised() -> None:
    """Some hundred articles, each with a title of its own, and three crawlers that all have something to report."""
    assert 150 <= len(records()) <= 300
    assert (
        len({record.title for record in records()}) == len({canonicalize(r.url) for r in records()}) == len(records())
    )
    assert all(record.title and record.author and record.series and record.published_at for record in records())
    reports = simulation().reports(from_ms=simulation().begins_ms, until_ms=simulation().ends_ms)
    assert {report.source for report in reports} == set(CRAWLERS)
    assert {codec.links.decode(report.line).change for report in reports} == {"gained", "lost"}


def test_past_and_present_are_all_there_is(tmp_path: Path) -> None:
    """No event is played twice or left out, however often the player looks."""
    played = Simulation(BEGIN_DAY, tmp_path)
    looks = [played.begins_ms, played.begins_ms + 1, played.begins_ms + 40 * DAY_MS, played.ends_ms]
    live = [report for a, b in pairwise(looks) for report in played.reports(from_ms=a, until_ms=b)]
    whole = played.reports(from_ms=0, until_ms=played.ends_ms)
    past = played.past(LineFile(played.links))
    assert [line.value for line in past] + [report.line for report in live] == [r.line for r in whole]


@pytest.mark.long
@pytest.mark.parametrize(
    "walk", [lives, partial(lives, late_days=HELD_UP_DAYS, days=story.DAYS)], ids=["in time", "held up"]
)
def test_only_the_story_reaches_slack(walk: Callable[[], dict[str, Life]]) -> None:
    """Three articles stop and one revives; nobody else is called silent or revived, on a slow machine neither."""
    told = walk()
    assert those(told, lambda life: State.SILENT in life) == STOPPED
    assert those(told, lambda life: State.REVIVED in life) == {title_of(*story.REVIVED)}


@pytest.mark.long
def test_what_was_silent_before_the_watch_is_no_news() -> None:
    """A part of the articles begins dormant; none begins silent."""
    begins = [life[0] for life in lives().values()]
    assert begins.count(State.DORMANT) > 20
    assert State.SILENT not in begins


@pytest.mark.long
def test_stops_are_said_while_the_crawler_is_dead() -> None:
    """Blindness to some articles is none to others; and Slack has time to hear of it."""
    told = lives()
    for title in STOPPED:
        assert story.OUTAGE.start + 100 < told[title].index(State.SILENT) < story.OUTAGE.stop - 10


@pytest.mark.long
def test_stops_are_still_news_when_one_looks_around() -> None:
    """The alerts fire on when the clock has stopped."""
    assert {lives()[title][-1] for title in STOPPED} == {State.SILENT}


@pytest.mark.long
def test_a_pause_is_doubted_and_not_called_a_stop() -> None:
    """The article that rests each year cools, and is steady again with its first link; what grows later is its own."""
    life = lives()[title_of(*story.PAUSING)][:300]
    assert [state for before, state in pairwise([None, *life]) if state != before] == [
        State.STEADY,
        State.COOLING,
        State.STEADY,
    ]


@pytest.mark.long
def test_the_outage_would_have_silenced_articles() -> None:
    """Without visibility some are called silent while their crawler is dead, and revived later; with it none is."""
    unseen = titles_of(story.DEAD_CRAWLER)
    ignorant, seeing = lives(with_visibility=False, days=story.DAYS), lives()
    outage = slice(story.OUTAGE.start, story.OUTAGE.stop)
    would_be_silent = unseen & those(ignorant, lambda life: State.SILENT in life[outage])
    assert len(would_be_silent) >= 5
    assert unseen & those(ignorant, lambda life: State.REVIVED in life)
    # Stale after 30 days: before that some may cool, as any article may.
    stale = slice(story.OUTAGE.start + 31, story.OUTAGE.stop)
    for title in unseen:
        life = seeing[title][stale]
        assert State.SILENT not in life
        assert all(before == state for before, state in pairwise(life) if state is State.COOLING), title


@pytest.mark.long
def test_nothing_flaps_when_the_crawler_is_back() -> None:
    """What it missed is there at once, and no article was ever gone. A pause of its own may be doubted, weeks later."""
    for title in titles_of(story.DEAD_CRAWLER):
        after = lives()[title][story.OUTAGE.stop :]
        assert not {State.SILENT, State.REVIVED} & set(after)
        assert State.COOLING not in after[:30]
