"""The links of articles by week: what groups add up, and what a verdict on a group counts.

Weeks run from Monday to Sunday, UTC, and only whole ones count: however often a group is judged, its verdict rests on
the same figures all week.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from flatline.domain.time import day_of

WEEKS: Final = 156
JOINED_WEEKS: Final = 26
"""As many as the longest stretch that a group is judged by."""

WEEK_DAYS: Final = 7
_MONDAY_SHIFT: Final = 3  # 1970-01-01 was a Thursday


def week_of(day: int) -> int:
    """Return the week of a UTC day, counted from the one of 1970-01-01."""
    return (day + _MONDAY_SHIFT) // WEEK_DAYS


def last_whole_week(now_ms: int) -> int:
    """Return the week that was the last to end."""
    return week_of(day_of(now_ms)) - 1


def last_day_of(week: int) -> int:
    """Return the Sunday of a week."""
    return (week + 1) * WEEK_DAYS - _MONDAY_SHIFT - 1


class WeeklyLinks(NamedTuple):
    """Links of the weeks up to ``last_week``, the newest first: WEEKS of them.

    ``joined``  links from before an article was watched, by the week in which that began: JOINED_WEEKS of them
    """

    gained: Sequence[float]
    joined: Sequence[float]


def weekly_links(links: dict[int, int], *, watched_day: int, last_week: int) -> WeeklyLinks:
    """Count the links of an article, given by UTC day in order of days."""
    gained, joined = [0.0] * WEEKS, [0.0] * JOINED_WEEKS
    before_watch = 0
    for day in reversed(links):
        ago = last_week - week_of(day)
        if ago >= WEEKS:
            break
        if ago >= 0:
            gained[ago] += links[day]
        if day < watched_day:
            before_watch += links[day]
    since = last_week - week_of(watched_day)
    if before_watch and since < JOINED_WEEKS:
        joined[max(since, 0)] = float(before_watch)
    return WeeklyLinks(gained, joined)


def watched_weeks(weekly: WeeklyLinks) -> int:
    """Return for how many weeks a group was watched, JOINED_WEEKS at most.

    The watch began when articles with half of its links were not watched before.
    """
    half, so_far = sum(weekly.gained) / 2, 0.0
    for ago, links in enumerate(weekly.joined):
        so_far += links
        if so_far and so_far >= half:
            return ago
    return JOINED_WEEKS
