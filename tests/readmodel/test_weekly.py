"""The summary of a week counts what the events say, by the days of a time zone, without peers."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flatline.domain.alerts import alert_id
from flatline.domain.time import to_ms
from flatline.readmodel.queries.weekly import LISTED, WeeklySummary, weekly_summary
from flatline.schema import codec
from flatline.schema.alert_mark import AlertKind, AlertMark, ExpectedBecause, Mark
from flatline.schema.article_record import ArticleRecord
from flatline.schema.link_event import LinkEvent
from flatline.schema.site_record import SiteRecord
from flatline.schema.verdict import State, Verdict
from tests.api.histories import verdict_of
from tests.readmodel.places import Place
from tests.readmodel.projecting import TOPICS, Log, projected

ZONE = ZoneInfo("America/New_York")
UNTIL = date(2026, 3, 8)  # the day on which clocks go forward there
END = datetime(2026, 3, 9, tzinfo=ZONE).astimezone(UTC)
BEGIN = datetime(2026, 3, 2, tzinfo=ZONE).astimezone(UTC)
BEFORE = datetime(2026, 2, 23, tzinfo=ZONE).astimezone(UTC)
NOW_MS = to_ms(END) + 5 * 3_600_000
ARTICLES = [f"https://yours.example/{number}" for number in range(LISTED + 2)] + ["https://peer.example/x"]
# Around the edges of both weeks, to the second.
instants = st.sampled_from([BEFORE, BEGIN, END]).flatmap(
    lambda edge: st.integers(-90_000, 90_000).map(lambda seconds: edge + timedelta(seconds=seconds))
)
found = st.lists(
    st.tuples(st.sampled_from(ARTICLES), instants, st.sampled_from(["link_found", "import"]), st.booleans()),
    max_size=30,
)


def of(log: Log, place: Place) -> WeeklySummary:
    """Return the summary of a log."""
    with place.empty() as made, projected(log, made).reading() as connection:
        return weekly_summary(connection, until=UNTIL, zone=ZONE, now_ms=NOW_MS)


@pytest.mark.long
@settings(max_examples=30)
@given(found=found)
def test_links_are_counted_by_the_days_of_the_zone(place: Place, found: list[tuple[str, datetime, str, bool]]) -> None:
    """Imports are no news, and peers are left out."""
    log, weeks, lost = Log(), (Counter[str](), Counter[str]()), 0
    log.say(SiteRecord("peer.example", role="peer"))
    for number, (article, at, discovery, is_lost) in enumerate(found):
        page = f"https://site{number}.example/"
        log.say(LinkEvent(page, article, occurred_at=at, discovery=discovery))
        is_own = article != ARTICLES[-1]
        if discovery == "link_found" and is_own:
            weeks[0][article] += BEGIN <= at < END
            weeks[1][article] += BEFORE <= at < BEGIN
        if is_lost:
            gone = at + timedelta(hours=3)
            log.say(LinkEvent(page, article, change="lost", occurred_at=gone))
            lost += is_own and BEGIN <= gone < END
    summary = of(log, place)
    assert (summary.gained, summary.gained_before, summary.lost) == (weeks[0].total(), weeks[1].total(), lost)
    gained = {each.article: (each.gained, each.gained_before) for each in summary.most_gained}
    assert len(gained) <= LISTED
    for article, (this, before) in gained.items():
        assert (this, before) == (weeks[0][article], weeks[1][article])
    fewest = min((this for this, _ in gained.values()), default=0)
    assert all(article in gained or count <= fewest for article, count in weeks[0].items() if len(gained) == LISTED)
    assert (summary.since, summary.until) == (date(2026, 3, 2), UNTIL)


def said(article: str, state: State, at: datetime) -> Verdict:
    """Return a verdict that was said at an instant."""
    return replace(verdict_of(article, state=state, days_ago=0), judged_at=at, since=at)


def test_what_stopped_is_of_this_week_and_what_to_refresh_is_older(place: Place) -> None:
    """What somebody called expected or wrong is in neither, and what has gained links again did not stop."""
    log, week = Log(), BEGIN + timedelta(days=1)
    log.say(SiteRecord("peer.example", role="peer"))
    spoken = {
        "stopped": (State.SILENT, week),
        "older": (State.SILENT, BEGIN - timedelta(days=1)),
        "cooling": (State.COOLING, week),
        "expected": (State.SILENT, week),
        "again": (State.SILENT, week),
        "right": (State.SILENT, week),
    }
    for name, (state, at) in (*spoken.items(), ("peer", (State.SILENT, week))):
        article = "https://peer.example/x" if name == "peer" else f"https://yours.example/{name}"
        log.say(ArticleRecord(article, title=name))
        log.write(TOPICS.verdicts, codec.verdicts.encode(said(article, state, at)), key=article.encode())
        if name == "again":
            steady = said(article, State.STEADY, at + timedelta(hours=1))
            log.write(TOPICS.verdicts, codec.verdicts.encode(steady), key=article.encode())
        if name in ("expected", "right"):
            because = ExpectedBecause.SEASONAL if name == "expected" else None
            mark = AlertMark(article, AlertKind.SILENT, at, Mark(name), END, because=because)
            key = alert_id(article, AlertKind.SILENT, to_ms(at)).encode()
            log.write(TOPICS.alert_marks, codec.alert_marks.encode(mark), key=key)
    summary = of(log, place)
    assert {each.title for each in summary.stopped} == {"stopped", "right"}
    assert {each.title for each in summary.to_refresh} == {"older", "cooling"}
    assert summary.stopped[0].reason == said(ARTICLES[0], State.SILENT, week).reason
