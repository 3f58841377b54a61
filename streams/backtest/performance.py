"""Alert rules with one threshold: how precise and how fast each is."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import numpy as np
from msgspec import Struct, structs

from flatline.backtest.cases import NEVER, Cases, Days, outcome
from flatline.domain.state.rhythm import Rhythm

PRECISIONS: Final = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# Finer where alerts come early: there precision changes most from one to the next.
SCORES: Final = (
    *(number / 400 for number in range(1, 80)),
    *(number / 200 for number in range(40, 200)),
)
GAPS_DAYS: Final = tuple(range(1, 1_001))

# How sure it is that the silence lasts, of an article with this rhythm on this day; it never falls as days go by.
Score = Callable[[Rhythm, int], float]


class Performance(Struct, frozen=True):
    """How a rule with this threshold does. Delays are of right alerts, in days since the last link."""

    threshold: float
    reached_precision: float
    mean_delay_days: float
    median_delay_days: float
    alerts: int
    right: int


class FastestAtPrecision(Performance, frozen=True):
    """The rule with the least mean delay of those whose precision is at least ``precision``."""

    precision: float


def alert_days_of_gaps(cases: Cases, gaps_days: Sequence[int] = GAPS_DAYS) -> Days:
    """Return on which day each case is alerted by each fixed gap: cases along the first axis, gaps along the second."""
    days: Days = cases.begin_day[:, None] + np.array(gaps_days)
    return days


def alert_days_of_score(cases: Cases, score: Score, scores: Sequence[float] = SCORES) -> Days:
    """Return the same for thresholds of a score; NEVER where it is not reached by the end of the case."""
    days = np.full((len(cases), len(scores)), NEVER, dtype=np.int64)
    for number, rhythm in enumerate(cases.rhythms):
        last = min(int(cases.next_day[number]) - 1, cases.end_day)
        first = int(cases.begin_day[number]) + 1
        if first <= last:
            _cross(days[number], partial(score, rhythm), scores, first, last)
    return days


def _cross(days: Days, score: Callable[[int], float], scores: Sequence[float], first: int, last: int) -> None:
    """Set the first day from ``first`` to ``last`` that reaches each score; by bisection of all at once."""

    def reached(day: int) -> int:
        return bisect_right(scores, score(day))

    at_first = reached(first)
    days[:at_first] = first
    spans = [(first, at_first, last, reached(last))]
    while spans:
        low, reached_low, high, reached_high = spans.pop()
        if reached_low >= reached_high:
            continue
        if high - low == 1:
            days[reached_low:reached_high] = high
            continue
        middle = (low + high) // 2
        at_middle = reached(middle)
        spans += [(low, reached_low, middle, at_middle), (middle, at_middle, high, reached_high)]


def performances(cases: Cases, alert_days: Days, thresholds: Sequence[float]) -> list[Performance]:
    """Return how the rule of each threshold does, where it gives a right alert at all."""
    right, wrong = outcome(cases, alert_days)
    delays = alert_days - cases.begin_day[:, None]
    result = []
    for number, threshold in enumerate(thresholds):
        of_right = delays[right[:, number], number]
        if of_right.size:
            alerts = int(of_right.size + wrong[:, number].sum())
            result.append(
                Performance(
                    threshold=threshold,
                    reached_precision=of_right.size / alerts,
                    mean_delay_days=float(of_right.mean()),
                    median_delay_days=float(np.median(of_right)),
                    alerts=alerts,
                    right=int(of_right.size),
                )
            )
    return result


def fastest(performances: Sequence[Performance], precisions: Sequence[float] = PRECISIONS) -> list[FastestAtPrecision]:
    """Return the fastest rule for each precision that some rule reaches."""
    found = []
    for precision in precisions:
        able = [each for each in performances if each.reached_precision >= precision]
        if able:
            best = min(able, key=lambda each: (each.mean_delay_days, -each.right))
            found.append(FastestAtPrecision(precision=precision, **structs.asdict(best)))
    return found
