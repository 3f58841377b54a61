"""The test of alerts, against a walk over single days that is written another way."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.backtest.cases import NEVER, Days, cases_of
from flatline.backtest.performance import (
    alert_days_of_gaps,
    alert_days_of_score,
    fastest,
    performances,
)
from flatline.domain.learned.hazard import Hazard
from flatline.domain.state.rhythm import Rhythm

END = 3_000
HAZARD = Hazard()

histories = st.lists(st.lists(st.integers(0, END), min_size=1, max_size=25, unique=True), min_size=1, max_size=4)
dense_histories = st.lists(
    st.builds(
        lambda start, gaps: [start + sum(gaps[:count]) for count in range(len(gaps) + 1)],
        st.integers(0, 1_500),
        st.lists(st.integers(1, 120), min_size=5, max_size=12),
    ),
    min_size=1,
    max_size=4,
)


def _walk(days: list[int], is_due: Callable[[list[int], int], bool]) -> tuple[list[int], int, int]:
    """Return the delays of right alerts, the wrong ones and the open ones, of a walk from day to day."""
    delays, wrong, unknown = [], 0, 0
    links, past, alerted = set(days), [], True
    for today in range(END + 1):
        if today in links:
            past.append(today)
            active = [day for day in past if today - 730 < day <= today]
            alerted = len(active) < 5
        elif not alerted and is_due(past, today):
            alerted = True
            if any(day in links for day in range(today + 1, today + 181)):
                wrong += 1
            elif today + 180 > END:
                unknown += 1
            else:
                delays.append(today - past[-1])
    return delays, wrong, unknown


@given(histories | dense_histories, st.integers(1, 400))
def test_a_fixed_gap_does_as_in_a_walk_over_days(histories: list[list[int]], gap: int) -> None:
    """Right and wrong alerts, and their delays, are those that somebody who lives through the days would count."""
    walks = [_walk(days, lambda past, today: today - past[-1] >= gap) for days in histories]
    cases = cases_of(histories, end_day=END)
    found = performances(cases, alert_days_of_gaps(cases, [gap]), [gap])
    right = sum(len(delays) for delays, _, _ in walks)
    assert [(each.right, each.alerts) for each in found] == (
        [(right, right + sum(wrong for _, wrong, _ in walks))] if right else []
    )
    assert all(each.mean_delay_days == each.median_delay_days == gap for each in found)


@given(dense_histories, st.lists(st.floats(0.01, 0.95), min_size=1, max_size=3, unique=True).map(sorted))
def test_a_score_does_as_in_a_walk_over_days(histories: list[list[int]], thresholds: list[float]) -> None:
    """The days on which thresholds are reached are those of a walk that asks for the score on each day."""
    cases = cases_of(histories, end_day=END)
    found = {each.threshold: each for each in performances(cases, _alert_days(histories, thresholds), thresholds)}
    for threshold in thresholds:

        def is_due(past: list[int], today: int, threshold: float = threshold) -> bool:
            rhythm = Rhythm.of(past)
            assert rhythm is not None
            return HAZARD.score(rhythm, today) >= threshold

        walks = [_walk(days, is_due) for days in histories]
        delays = sorted(delay for walk in walks for delay in walk[0])
        assert (threshold in found) == bool(delays)
        if delays:
            each = found[threshold]
            assert (each.right, each.alerts) == (len(delays), len(delays) + sum(wrong for _, wrong, _ in walks))
            assert each.mean_delay_days == pytest.approx(sum(delays) / len(delays))
            assert each.median_delay_days == pytest.approx(
                (delays[(len(delays) - 1) // 2] + delays[len(delays) // 2]) / 2
            )


def _alert_days(histories: list[list[int]], thresholds: list[float]) -> Days:
    return alert_days_of_score(cases_of(histories, end_day=END), HAZARD.score, thresholds)


MONTHLY = list(range(0, 301, 30))


@pytest.mark.parametrize(
    ("days", "end", "gap", "expected", "why"),
    [
        (MONTHLY, 1_000, 40, (1, 1), "the links stopped: right"),
        ([*MONTHLY, 520], 1_000, 40, (1, 2), "a link on day 180 after the alert: wrong; the silence after it is right"),
        ([*MONTHLY, 341], 1_000, 40, (1, 2), "a link on the day after the alert: wrong; the silence after it is right"),
        ([*MONTHLY, 340], 1_000, 40, (1, 1), "a link on the very day of the alert: there was no alert"),
        ([*MONTHLY, 521], 1_000, 40, (2, 2), "a link on day 181 after the alert: right"),
        (MONTHLY, 520, 40, (1, 1), "the 180 days end with the history: right"),
        (MONTHLY, 519, 40, None, "they end after it: it is not known"),
        ([*MONTHLY, 400], 450, 40, None, "the link that disproves the alert is known, but nothing was right"),
        ([0, 300, 600, 900], 2_000, 40, None, "four link days are too few"),
        ([0, 180, 360, 540, 729], 2_000, 40, (1, 1), "five link days within 730 days"),
        ([0, 180, 360, 540, 730], 2_000, 40, None, "the first of five is 730 days back: no longer within them"),
    ],
)
def test_what_counts(days: list[int], end: int, gap: int, expected: tuple[int, int] | None, why: str) -> None:
    """Which alerts count, and which of them are right."""
    cases = cases_of([days], end_day=end)
    # Of a monthly gainer all but the last silences are too short for the gap.
    found = [(each.right, each.alerts) for each in performances(cases, alert_days_of_gaps(cases, [gap]), [gap])]
    assert found == ([expected] if expected else []), why


def test_no_alert_once_the_next_link_is_there() -> None:
    """A threshold that is not reached before the next link day has no alert day."""
    cases = cases_of([MONTHLY], end_day=330)
    assert (alert_days_of_score(cases, HAZARD.score, [0.9]) == NEVER).all()


def test_the_fastest_that_is_sure_enough() -> None:
    """Of the policy that reach a precision, the row is that of the least delay; unreached precisions have none."""
    cases = cases_of([[*MONTHLY, 400], MONTHLY, [*MONTHLY, 345]], end_day=2_000)
    rows = fastest(performances(cases, alert_days_of_gaps(cases, [40, 60, 110]), [40, 60, 110]), (0.5, 0.7, 1.0))
    assert [(row.precision, row.threshold, row.right, row.alerts) for row in rows] == [
        (0.5, 40, 3, 5),
        (0.7, 60, 3, 4),
        (1.0, 110, 3, 3),
    ]
