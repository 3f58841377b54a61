"""The season of an article: a pause that came about the same time in each of the last two years, and ended.

A stray link does not hide a pause. On the open link histories 9 of 2,708 silences that would have alerted are held back
as seasons. After 6 of them a link came within 180 days. Where none comes, the alert is at most SEASON_DAYS later than
the day on which links were expected again.
"""

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Sequence
from datetime import MAXYEAR
from itertools import pairwise
from typing import Final, NamedTuple

from flatline.domain.time import DAY_MS, day_of, to_datetime, to_ms

YEARS: Final = 2
SEASON_DAYS: Final = 45
"""How far from the same day of the year a pause may begin, and links may come back."""
PAUSE_DAYS_MIN: Final = 60
RETURNS_APART_DAYS_MAX: Final = 90
BEFORE_PAUSE_DAYS: Final = 120
LINK_DAYS_BEFORE_PAUSE_MIN: Final = 2
"""Link days in the BEFORE_PAUSE_DAYS up to each pause: one link a year makes no season."""
STRAY_APART_DAYS: Final = 30
"""A link day is stray if no other is as near as that."""
STRAY_SHARE_MAX: Final = 0.25
"""Of the link days of the seasons that are compared. Where more are stray, links come all the year round."""
COMPARED_DAYS: Final = (YEARS + 1) * 365 + SEASON_DAYS


class Season(NamedTuple):
    """About when links are expected again, and the last day on which they may still come in season."""

    return_day: int
    until_day: int


def season_of(link_days: Sequence[int]) -> Season | None:
    """Return the season in whose pause an article is after its last link day; None without two years that say so.

    ``link_days``: in order.
    """
    season = _season_after(_without_stray(link_days))
    return season if season and season.until_day >= link_days[-1] else _season_after(link_days)


def _season_after(link_days: Sequence[int]) -> Season | None:
    if not link_days or not _is_active(link_days, len(link_days) - 1):
        return None
    last, returns = link_days[-1], list[int]()
    for years in range(1, YEARS + 1):
        again = _return_from_pause(link_days, _years_later(last, -years))
        if again is None or (return_day := _years_later(again, years)) <= last:
            return None
        returns.append(return_day)
    if max(returns) - min(returns) > RETURNS_APART_DAYS_MAX:
        return None
    return Season(sum(returns) // len(returns), max(returns) + SEASON_DAYS)


def _without_stray(link_days: Sequence[int]) -> Sequence[int]:
    """Return the link days to compare that are not stray; nothing if too many are."""
    if not link_days:
        return ()
    compared = link_days[bisect_left(link_days, link_days[-1] - COMPARED_DAYS) :]
    apart = [STRAY_APART_DAYS + 1, *(later - earlier for earlier, later in pairwise(compared)), STRAY_APART_DAYS + 1]
    kept = [day for day, gaps in zip(compared, pairwise(apart), strict=True) if min(gaps) <= STRAY_APART_DAYS]
    return kept if len(compared) - len(kept) <= STRAY_SHARE_MAX * len(compared) else ()


def _years_later(day: int, years: int) -> int:
    """Return the same day of another year."""
    on = to_datetime(day * DAY_MS)
    year = min(on.year + years, MAXYEAR)
    in_year = min(on.day, monthrange(year, on.month)[1])  # there is not always a 29 February
    return day_of(to_ms(on.replace(year=year, day=in_year)))


def _return_from_pause(link_days: Sequence[int], begin_day: int) -> int | None:
    """Return the link day after a pause that began within SEASON_DAYS of a day."""
    first = bisect_left(link_days, begin_day - SEASON_DAYS)
    end = min(bisect_right(link_days, begin_day + SEASON_DAYS), len(link_days) - 1)
    for number in range(end - 1, first - 1, -1):
        if link_days[number + 1] - link_days[number] >= PAUSE_DAYS_MIN:
            return link_days[number + 1] if _is_active(link_days, number) else None
    return None


def _is_active(link_days: Sequence[int], number: int) -> bool:
    """Whether links came on more than one day up to the one of this number."""
    first = bisect_right(link_days, link_days[number] - BEFORE_PAUSE_DAYS)
    return number + 1 - first >= LINK_DAYS_BEFORE_PAUSE_MIN
