"""The season of an article: a pause that came about the same time in each of the last two years, and ended.

On the open link histories 4 of 2,717 silences that alerted were held back as seasons, three of them wrongly: an alert
comes at the latest SEASON_DAYS after the day on which links were expected again.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

YEARS: Final = 2
SEASON_DAYS: Final = 30
"""How far from the same day of the year a pause may begin, and links may come back."""
PAUSE_DAYS_MIN: Final = 60
RETURNS_APART_DAYS_MAX: Final = 60
BEFORE_PAUSE_DAYS: Final = 120
LINK_DAYS_BEFORE_PAUSE_MIN: Final = 2
"""Link days in the BEFORE_PAUSE_DAYS up to each pause: one link a year makes no season."""

_YEAR_DAYS: Final = 365.25


class Season(NamedTuple):
    """About when links are expected again, and the last day on which they may still come in season."""

    return_day: int
    until_day: int


def season_of(link_days: Sequence[int]) -> Season | None:
    """Return the season in whose pause an article is after its last link day; None without two years that say so.

    ``link_days``: in order.
    """
    if not link_days or not _is_active(link_days, len(link_days) - 1):
        return None
    last, returns = link_days[-1], list[int]()
    for year in range(1, YEARS + 1):
        shift = round(year * _YEAR_DAYS)
        again = _return_from_pause(link_days, last - shift)
        if again is None or again + shift <= last:
            return None
        returns.append(again + shift)
    if max(returns) - min(returns) > RETURNS_APART_DAYS_MAX:
        return None
    return Season(sum(returns) // len(returns), max(returns) + SEASON_DAYS)


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
