"""The alerts on silence that some thresholds would have caused, by link days alone: what `replay` says of them, faster.

While all can be seen, an article falls silent by its link days, and at most once in each pause between two of them. So
the domain is asked of the pauses that are long enough, and not of each day with an event. That is what makes thresholds
something to play with.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from flatline.backtest.cases import NEVER, Cases
from flatline.backtest.performance import FastestAtPrecision, fastest, performances
from flatline.backtest.replay import Alert, ending_of
from flatline.domain.judgement.evidence import SEASON_ASKED_AFTER_DAYS, Circumstances
from flatline.domain.judgement.states import quiet_since_day
from flatline.domain.learned.hazard import Hazard
from flatline.domain.learned.season import season_of
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.state.rhythm import GAPS_REMEMBERED, Rhythm
from flatline.schema.verdict import State

GAPS_DAYS: Final = tuple(range(5, 1_001, 5))


def silences(
    key: bytes, days: Sequence[int], thresholds: Thresholds, hazard: Hazard, *, begin_day: int, end_day: int
) -> Iterator[Alert]:
    """Yield the alerts on the silence of an article from ``begin_day`` to ``end_day``, as `replay` has them.

    ``days``: its link days, in order. All its sources are taken to have seen everything. ``silent_gaps`` of the
    thresholds must be above 0.
    """
    for count in range(max(thresholds.link_days_min, bisect_left(days, begin_day)), len(days) + 1):
        last_day = days[count - 1]
        until_day = min(days[count] - 1 if count < len(days) else end_day, end_day)
        gaps = min(GAPS_REMEMBERED, count - 1)
        mean_gap_days = (last_day - days[count - 1 - gaps]) / gaps
        if until_day < last_day + thresholds.silent_gaps * mean_gap_days - 1:
            continue  # it is never quiet, and to learn its rhythm takes long
        rhythm = Rhythm.of(days[:count])
        assert rhythm is not None
        day = _silent_day(rhythm, days[:count], thresholds, hazard, until_day=until_day)
        if day is not None and day >= begin_day:
            probability = round(hazard.probability(rhythm, day), 2)
            ending = ending_of(days, end_day, hazard.horizon_days, day)
            yield Alert(day, key, State.SILENT, "", ending, day - last_day, probability)


def _silent_day(
    rhythm: Rhythm, days: Sequence[int], thresholds: Thresholds, hazard: Hazard, *, until_day: int
) -> int | None:
    """Return the day on which it is said to be silent, up to ``until_day``."""
    at = Circumstances(until_day, thresholds, hazard, seen_day=until_day)
    season_day = rhythm.last_day + SEASON_ASKED_AFTER_DAYS
    end = min(until_day + 1, season_day)
    day = quiet_since_day(rhythm, at, until_day=end)
    if day < end:
        return day
    if until_day < season_day:
        return None
    season = season_of(days)
    at = at._replace(season_until_day=season.until_day if season else 0)
    day = quiet_since_day(rhythm, at, until_day=until_day + 1)
    return max(day, season_day) if day <= until_day else None


def fastest_gap(
    articles: Iterable[Sequence[int]],
    *,
    link_days_min: int,
    precision: float,
    begin_day: int,
    end_day: int,
    horizon_days: int,
) -> FastestAtPrecision | None:
    """Return the fixed gap that is the fastest at a precision, over the same pauses; None where none reaches it.

    ``articles``: the link days of each, in order.
    """
    begins, nexts = [], []
    for days in articles:
        for count in range(max(link_days_min, bisect_left(days, begin_day)), len(days) + 1):
            begins.append(days[count - 1])
            nexts.append(days[count] if count < len(days) else NEVER)
    begin_days, next_days = np.array(begins, dtype=np.int64), np.array(nexts, dtype=np.int64)
    cases = Cases([], begin_days, next_days, np.zeros_like(begin_days), end_day, horizon_days)
    found = []
    for gap in GAPS_DAYS:
        day = cases.begin_day + gap
        found += performances(cases, np.where(day >= begin_day, day, NEVER)[:, None], [gap])
    return next(iter(fastest(found, [precision])), None)
