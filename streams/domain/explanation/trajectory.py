"""An article's links over its life beside those expected of it, as points of two lines.

Until the *turn*, which is the last link day, or 90 days ago where that is earlier, the expected line has as many links
as came, spread as the article's way of life has it: along the curve of its kind, or evenly, by the weights of
`expectation`. From the turn on it goes on with what was expected of each 90 days by what came before the turn.
"""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import Final, NamedTuple

from flatline.domain.learned.expectation import WINDOWS_DAYS, Baseline, expect

_STEPS: Final = 100  # up to the turn
_STEP_DAYS: Final = WINDOWS_DAYS[-1]  # after it, each drawn in so many parts:
_PARTS: Final = 6


class Point(NamedTuple):
    """At the end of a UTC day: links gained so far, and expected so far."""

    day: int
    gained: int
    expected: float


def trajectory(
    days: Mapping[int, int], *, published_day: int | None, watched_day: int, today: int, baseline: Baseline
) -> list[Point]:
    """Return points from the first day to today; arguments as for `expectation.expect`. Without links there are none.

    The expected line starts with what came on the first day.
    """
    if not days or next(iter(days)) > today:
        return []
    ordered = list(days)
    counts = list(accumulate(days.values(), initial=0))
    origin = ordered[0] if published_day is None else min(published_day, ordered[0])
    last = ordered[bisect_right(ordered, today) - 1]
    turn = max(origin, ordered[0], min(last, today - _STEP_DAYS))

    def gained(day: int) -> int:
        return counts[bisect_right(ordered, day)]

    known = {day: links for day, links in days.items() if day <= turn}

    def expected_by(day: int) -> float:
        """Return those by the end of a day up to the turn."""
        if turn == origin:
            return gained(turn)
        share, passed = baseline.curve.share(day + 1 - origin), baseline.curve.share(turn + 1 - origin)
        along_curve = share / passed if passed else 0.0
        evenly = (day - origin) / (turn - origin)
        first = gained(origin)
        return first + (gained(turn) - first) * ((1 - evergreen) * along_curve + evergreen * evenly)

    def expected_until(day: int, length: int) -> float:
        """Return those of so many days up to the end of a day after the turn, if nothing came since the turn."""
        found = expect(
            known, published_day=published_day, watched_day=watched_day, now_days=day + 1.0, baseline=baseline
        )
        return found.windows[-1].expected * length / min(_STEP_DAYS, day - origin) if found else 0.0

    at_turn = expect(
        known, published_day=published_day, watched_day=watched_day, now_days=turn + 1.0, baseline=baseline
    )
    evergreen = at_turn.evergreen if at_turn else 0.5
    step = max(1, -(-(turn - origin) // _STEPS))
    points = [Point(day, gained(day), expected_by(day)) for day in [*range(origin, turn, step), turn]]
    day, so_far = turn, points[-1].expected
    while day < today:
        length = min(_STEP_DAYS, today - day)
        more = expected_until(day + length, length)
        for part in range(1, _PARTS + 1):
            if (until := day + length * part // _PARTS) > points[-1].day:
                points.append(Point(until, gained(until), so_far + more * (until - day) / length))
        day, so_far = day + length, so_far + more
    return points
