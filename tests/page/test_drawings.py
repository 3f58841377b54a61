"""Curves and sparklines as they are drawn."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.visibility.source_days import DayState
from flatline.page.drawings import SPARK_WEEKS, Band, calendar, curve, spark
from flatline.readmodel.queries.source_days import SourceCalendar, SourceDay

_FIRST = date(2024, 2, 29)


@given(st.dictionaries(st.integers(900, 1_000), st.integers(1, 10_000)), st.integers(0, 300) | st.none())
def test_a_sparkline_has_a_bar_for_each_week_with_links(weeks: dict[int, int], silent_weeks: int | None) -> None:
    """Weeks without links have none, and the largest fills the height."""
    drawn = spark(weeks, this_week=1_000, silent_weeks=silent_weeks)
    assert len(drawn.heights) == SPARK_WEEKS
    assert [height > 0 for height in drawn.heights] == [week in weeks for week in range(1_001 - SPARK_WEEKS, 1_001)]
    assert max(drawn.heights) == (1 if any(drawn.heights) else 0)
    assert drawn.silent_from is None or 0 <= drawn.silent_from <= SPARK_WEEKS


@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(0, 9), st.floats(0, 1e6)), max_size=60),
    st.lists(st.tuples(st.integers(-500, 30_000), st.integers(1, 900)), max_size=5),
)
def test_a_curve_stays_within_its_frame(steps: list[tuple[int, int, float]], bands: list[tuple[int, int]]) -> None:
    """All points lie in the frame, time goes to the right, and what was gained never falls."""
    days, gained = [], []
    day, links = _FIRST, 0
    for length, more, _ in steps:
        day, links = day + timedelta(days=length), links + more
        days.append(day)
        gained.append(links)
    bars = [Band("bad", _FIRST + timedelta(days=at), _FIRST + timedelta(days=at + length)) for at, length in bands]
    drawn = curve(days, gained, [expected for _, _, expected in steps], bars)
    for line in (drawn.gained, drawn.expected):
        points = [tuple(map(float, point.split(","))) for point in line.split()]
        assert all(50 <= x <= 990 and 10 <= y <= 270 for x, y in points)
        assert [x for x, _ in points] == sorted(x for x, _ in points)
    heights = [float(point.split(",")[1]) for point in drawn.gained.split()]
    assert heights == sorted(heights, reverse=True)
    assert all(band.width >= 0 and 50 <= band.left <= 990 for band in drawn.bands)
    assert drawn.data["gained"] == gained


def test_an_article_without_links_has_no_curve() -> None:
    """It has a sentence instead."""
    assert curve([], [], [], []).label == "No links yet."


@given(st.dates(date(1995, 1, 1), date(2090, 1, 1)), st.lists(st.sampled_from(DayState), min_size=1, max_size=800))
def test_a_calendar_has_each_day_in_its_week(first: date, states: list[DayState]) -> None:
    """As ISO weeks have it; months are named where they begin, with room between their names."""
    days = [SourceDay(first + timedelta(days=number), state, number) for number, state in enumerate(states)]
    drawn = calendar(SourceCalendar("crawler", 0, 0, 0, days))
    assert [(day.weekday + 1, day.state) for day in drawn.days] == [
        (each.day.isoweekday(), each.state) for each in days
    ]
    weeks = list(dict.fromkeys(each.day.isocalendar()[:2] for each in days))
    assert [weeks[day.week] for day in drawn.days] == [each.day.isocalendar()[:2] for each in days]
    assert drawn.weeks == len(weeks)
    at = [tick.at for tick in drawn.ticks_x]
    assert all(after - before >= 3 for before, after in pairwise(at))
    begun = {f"{each.day:%b}" for each in days if each.day.day == 1} or {f"{first:%b}"}
    assert begun <= {tick.words for tick in drawn.ticks_x}
