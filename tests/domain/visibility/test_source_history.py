"""What a source lets us learn of itself."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.time import DAY_MS, to_datetime
from flatline.domain.visibility.source_history import (
    ARTICLES_MIN,
    DAYS_REMEMBERED,
    ReportingHabit,
    SourceHistory,
    SourceReport,
    reporting_habit_of,
    source_report_of,
)
from flatline.schema.link_event import LinkEvent

NOW_MS = 20_000 * DAY_MS
HOUR_MS = 3_600_000


def history(days: list[int], *, lag_hours: float | None = 0, articles: int = ARTICLES_MIN) -> SourceHistory:
    """Return the history of a source that reported on these days."""
    known = SourceHistory()
    for number, day in enumerate(days):
        lag_ms = None if lag_hours is None else int(lag_hours * HOUR_MS)
        known.observe(SourceReport(number % articles, day * DAY_MS, lag_ms), offset=number)
    return known


@pytest.mark.parametrize(
    ("days", "habit", "why"),
    [
        (list(range(30)), ReportingHabit(29, usual_gap=1, lag=0), "each day"),
        (
            [*range(0, 28, 7), *range(1, 28, 7), *range(2, 28, 7)],
            ReportingHabit(23, usual_gap=5, lag=0),
            "three days a week",
        ),
        (
            [*range(20), *range(60, 70)],
            ReportingHabit(69, usual_gap=1, lag=0, away_from=19, back_on=60),
            "was away once",
        ),
        (
            [*range(10), *range(40, 50), *range(100, 110)],
            ReportingHabit(109, usual_gap=1, lag=0, away_from=49, back_on=100),
            "of two absences the last counts, and neither makes a habit",
        ),
        ([0, 1, 2, 3, 4], None, "five days teach too little"),
    ],
)
def test_habit(days: list[int], habit: ReportingHabit | None, why: str) -> None:
    """Its habit is the gap that it hardly ever exceeds; an absence is no habit."""
    assert reporting_habit_of([history(days)], unusual_gaps=3) == habit, why


def test_of_a_source_with_few_articles_nothing_is_said() -> None:
    """When they stop, it falls silent, and nobody can tell which of the two happened."""
    days = list(range(30))
    assert reporting_habit_of([history(days, articles=ARTICLES_MIN - 1)], unusual_gaps=3) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400)), max_size=80), st.randoms())
def test_several_partitions_hear_what_one_would(reports: list[tuple[int, int]], chance: object) -> None:
    """Days are a join: whatever partition receives which report, in whatever order, and twice."""
    whole = sorted({day for _, day in reports})
    chance.shuffle(reports)  # type: ignore[attr-defined]
    parts = [history([day for part, day in reports * 2 if part == number], lag_hours=None) for number in range(4)]
    one = history(whole, lag_hours=None)
    for each in parts:
        assert each.days == sorted(each.days)[-DAYS_REMEMBERED:]
        each.articles = one.articles = list(range(ARTICLES_MIN))
    assert reporting_habit_of(parts, unusual_gaps=3) == reporting_habit_of([one], unusual_gaps=3)


@pytest.mark.parametrize(("lag_hours", "lag_days"), [(0, 0), (5, 0), (20, 1), (24 * 12, 21), (24 * 900, 90)])
def test_lag_is_learned_within_a_factor_of_two(lag_hours: float, lag_days: int) -> None:
    """In whole days, at most double, and never so long that nothing would ever be said."""
    habit = reporting_habit_of([history([day // 2 for day in range(60)], lag_hours=lag_hours)], unusual_gaps=3)
    assert habit
    assert habit.lag == lag_days


def test_no_lag_is_counted_twice() -> None:
    """After a crash the last records come again: they lie before the offset up to which all were counted."""
    known = history(list(range(30)), lag_hours=3)
    before = known.encode()
    for offset in range(30):
        known.observe(SourceReport(0, offset * DAY_MS, 3 * HOUR_MS), offset=offset)
    assert known.encode() == before
    assert SourceHistory.decode(before) == known


def event(**fields: object) -> LinkEvent:
    """Return an event that was observed and recorded now, but for these fields."""
    now = to_datetime(NOW_MS)
    return LinkEvent("https://a.example/", "https://b.example/", **{"observed_at": now, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "heard_days_ago", "lag_days", "why"),
    [
        ({}, 0, None, "it does not say when the link appeared"),
        ({"occurred_at": to_datetime(NOW_MS) - timedelta(days=9)}, 0, 9, "it is nine days late"),
        ({"change": "lost", "occurred_at": to_datetime(NOW_MS) - timedelta(days=9)}, 0, None, "of gains only"),
        ({"observed_at": None}, 0, None, "recorded is as good as observed"),
        ({"observed_at": to_datetime(NOW_MS) - timedelta(days=2)}, 2, None, "it lay somewhere for two days"),
        ({"observed_at": to_datetime(NOW_MS) + timedelta(days=2)}, 0, None, "its clock is ahead, ours counts"),
    ],
)
def test_live_reports_teach(fields: dict[str, object], heard_days_ago: int, lag_days: int | None, why: str) -> None:
    """When the source observed, and how late that reached us."""
    report = source_report_of(event(**fields), recorded_ms=NOW_MS, now_ms=NOW_MS + 5 * DAY_MS)
    assert report
    assert report.seen_ms == NOW_MS - heard_days_ago * DAY_MS, why
    assert report.lag_ms == (None if lag_days is None else lag_days * DAY_MS), why


@pytest.mark.parametrize("fields", [{"discovery": "import"}, {"observed_at": to_datetime(NOW_MS) - timedelta(days=30)}])
def test_histories_teach_nothing(fields: dict[str, object]) -> None:
    """An import, and what was observed long ago, say nothing of when their source will report again."""
    assert source_report_of(event(**fields), recorded_ms=NOW_MS, now_ms=NOW_MS) is None
