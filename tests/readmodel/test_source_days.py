"""The days of sources: counted from the events, and judged by what workers would have said at the end of each day."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from flatline.domain.policy.policy import Policy
from flatline.domain.time import DAY_MS, day_of, to_datetime, to_ms
from flatline.domain.visibility.sources import Sources
from flatline.readmodel.database import Database
from flatline.readmodel.files import Files
from flatline.readmodel.projection import Projection
from flatline.readmodel.queries.source_days import SourceCalendar, source_calendars
from flatline.readmodel.read_models import identity_of
from flatline.schema import codec
from flatline.schema.heartbeat import Heartbeat
from flatline.schema.link_event import LinkEvent
from tests.api.answering import DESCRIBED, serving
from tests.readmodel.places import Place
from tests.readmodel.projecting import NOW_MS, TOPICS, Log, database, projected

HOUR_MS = 3_600_000
SOURCES = ("crawler", "vendor")
DAYS = 21
hours_ago = st.integers(0, 30 * 24)
heartbeats = st.tuples(
    st.sampled_from(SOURCES),
    hours_ago,
    st.integers(0, 72),  # how far behind it has seen, in hours
    st.sampled_from([None, 6, 24, 48]),  # its period, in hours
    st.sampled_from([0, 5]),  # how far ahead its clock is, in hours
)
links = st.tuples(st.sampled_from((*SOURCES, None)), hours_ago, st.sampled_from(["gained", "lost", "suspected"]))


def heartbeat(source: str, hour: int, behind: int, period: int | None, ahead: int) -> tuple[Heartbeat, int]:
    """Return a heartbeat, and when it was recorded."""
    recorded_ms = NOW_MS - hour * HOUR_MS
    sent = to_datetime(recorded_ms + ahead * HOUR_MS)
    period_s = None if period is None else period * 3_600
    return Heartbeat(source, sent, sent - timedelta(hours=behind + ahead), period_s=period_s), recorded_ms


def calendars_by_source(made: Database, days: int = DAYS) -> dict[str, SourceCalendar]:
    """Return the calendars of a read model."""
    with made.reading() as connection:
        return {each.source: each for each in source_calendars(connection, now_ms=NOW_MS, days=days)}


@settings(max_examples=25, deadline=None)
@given(
    sent=st.lists(heartbeats, max_size=30),
    found=st.lists(links, max_size=30),
    pieces=st.integers(1, 3),
)
def test_a_day_is_what_a_worker_would_have_said(
    place: Place,
    sent: list[tuple[str, int, int, int | None, int]],
    found: list[tuple[str | None, int, str]],
    pieces: int,
) -> None:
    """Stale at its end or not, in whatever pieces the log is read."""
    said = sorted((heartbeat(*each) for each in sent), key=lambda each: each[1])
    log = Log()
    for each, recorded_ms in said:
        log.write(TOPICS.heartbeats, codec.heartbeats.encode(each), key=each.source.encode(), at_ms=recorded_ms)
    for number, (source, hour, change) in enumerate(found):
        at = to_datetime(NOW_MS - hour * HOUR_MS)
        page = f"https://site{number % 5}.example/"
        log.say(LinkEvent(page, "https://yours.example/", occurred_at=at, change=change, source=source))
    with place.empty() as made:
        projection = Projection(made, TOPICS, Policy())
        for piece in range(pieces, 0, -1):
            projection.apply({at: records[: -(-len(records) // piece)] for at, records in log.batch().items()})
        calendars = calendars_by_source(made)
    events = Counter((source, day_of(NOW_MS - hour * HOUR_MS)) for source, hour, _ in found if source)
    assert calendars.keys() == {source for source, _ in events} | {each.source for each, _ in said}
    for source, calendar in calendars.items():
        own = [(each, at) for each, at in said if each.source == source]
        heard_on = {day_of(min(to_ms(each.sent_at), at)) for each, at in own}
        heard_on |= {day for name, day in events if name == source}
        assert number_of(calendar.days[0].day) == max(min(heard_on), day_of(NOW_MS) - DAYS + 1)
        expected = []
        for day in range(number_of(calendar.days[0].day), day_of(NOW_MS) + 1):
            end_ms = min((day + 1) * DAY_MS, NOW_MS)
            worker = Sources()
            for each, recorded_ms in own:
                if day_of(recorded_ms) <= day:
                    worker.receive(each, recorded_ms=recorded_ms)
            state = "heard" if day in heard_on else "silent"
            expected.append((day, "stale" if source in worker.stale(end_ms) else state, events[source, day]))
        assert [(number_of(each.day), each.state, each.events) for each in calendar.days] == expected
        counted = Counter(state for _, state, _ in expected)
        assert (calendar.heard, calendar.stale, calendar.silent) == tuple(
            counted[state] for state in ("heard", "stale", "silent")
        )


def number_of(day: date) -> int:
    """Return the number of a UTC day."""
    return (day - date(1970, 1, 1)).days


def test_former_heartbeats_outlive_their_topic(tmp_path: Path) -> None:
    """The topic keeps the newest alone: a read model that is made anew has the former ones from the one before."""
    log = Log()
    for hour, period in ((20 * 24, 6), (2 * 24, 6)):
        each, recorded_ms = heartbeat("crawler", hour, 0, period, 0)
        log.write(TOPICS.heartbeats, codec.heartbeats.encode(each), key=b"crawler", at_ms=recorded_ms)
    places = Files(tmp_path, readers=1, deadline_s=60)
    assert places.become_writer()
    before = projected(log, places.new(identity_of(TOPICS, b"1"), None))
    known = calendars_by_source(before)
    states = Counter(day.state.value for day in known["crawler"].days)
    assert states == {"heard": 2, "stale": 19}
    log.records[TOPICS.heartbeats.name][:1] = []
    assert calendars_by_source(projected(log, places.new(identity_of(TOPICS, b"2"), before))) == known
    places.close()


def test_a_source_that_is_forgotten_is_not_stale(place: Place) -> None:
    """A tombstone says that nothing more is expected of it."""
    log = Log()
    each, recorded_ms = heartbeat("crawler", 20 * 24, 0, 6, 0)
    log.write(TOPICS.heartbeats, codec.heartbeats.encode(each), key=b"crawler", at_ms=recorded_ms)
    log.write(TOPICS.heartbeats, None, key=b"crawler", at_ms=NOW_MS - 10 * DAY_MS)
    with place.empty() as made:
        states = [day.state.value for day in calendars_by_source(projected(log, made))["crawler"].days]
    assert states == ["heard"] + ["stale"] * 9 + ["heard"] + ["silent"] * 10


async def test_the_page_and_the_api_show_the_days(tmp_path: Path) -> None:
    """The one that is stale comes first; a range that is too long is refused."""
    log = Log()
    names = [f"source-{number}" for number in range(5)]
    for number, name in enumerate(names):
        each, recorded_ms = heartbeat(name, 24 * 2 * number, 0, 48, 0)
        log.write(TOPICS.heartbeats, codec.heartbeats.encode(each), key=name.encode(), at_ms=recorded_ms)
    async with serving(projected(log, database(tmp_path)), tmp_path, with_page=True) as client:
        body = await (await client.get("/api/v1/source-days")).json()
        DESCRIBED.check("/api/v1/source-days", 200, body)
        # The limit is six days: the last one is eight days behind.
        assert [row["source"] for row in body["rows"]] == [names[-1], *names[:-1]]
        one = await (await client.get("/api/v1/source-days", params={"source": names[1], "days": "2"})).json()
        assert [(row["source"], row["silent"], len(row["days"])) for row in one["rows"]] == [(names[1], 2, 2)]
        assert (await client.get("/api/v1/source-days?days=732")).status == 400
        text = await (await client.get("/sources")).text()
        assert text.count('<svg class="calendar"') == len(names)
        assert "heard on 1 day, stale on 3, silent on 5" in text
