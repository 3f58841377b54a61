"""When an article gained links: the days, and what a judgement needs to know of them.

A *link day* is a UTC day, counted from 1970-01-01, on which the article gained at least one link from a page that had
not linked to it before. Imports and first meetings of a page make no link day: their dates are not the link's.
"""

from collections.abc import Iterable
from itertools import pairwise
from math import exp
from typing import Final, NamedTuple, Self

DAY_MS: Final = 86_400_000
GAPS_REMEMBERED: Final = 10
SHORT_MEMORY_DAYS: Final = 90
LONG_MEMORY_DAYS: Final = 365


def day_of(instant_ms: int) -> int:
    """Return the UTC day of an instant."""
    return instant_ms // DAY_MS


class Rhythm(NamedTuple):
    """The summary of an article's link days. All lengths are in days."""

    link_days: int
    first_day: int
    last_day: int
    mean_gap_days: float  # over the last GAPS_REMEMBERED gaps; 0 with a single link day
    max_gap_days: int
    short_count_at_last_day: float  # link days but the first, each discounted by exp(-age / SHORT_MEMORY_DAYS)
    long_count_at_last_day: float  # the same with LONG_MEMORY_DAYS

    @classmethod
    def of(cls, days: Iterable[int]) -> Self | None:
        """Summarise link days given in any order; None without any."""
        ordered = sorted(days)
        if not ordered:
            return None
        first, last = ordered[0], ordered[-1]
        gaps = [later - earlier for earlier, later in pairwise(ordered[-GAPS_REMEMBERED - 1 :])]
        return cls(
            link_days=len(ordered),
            first_day=first,
            last_day=last,
            mean_gap_days=sum(gaps) / len(gaps) if gaps else 0.0,
            max_gap_days=max(gaps, default=0),
            short_count_at_last_day=sum(exp((day - last) / SHORT_MEMORY_DAYS) for day in ordered[1:]),
            long_count_at_last_day=sum(exp((day - last) / LONG_MEMORY_DAYS) for day in ordered[1:]),
        )

    def short_count(self, day: int) -> float:
        """Return the discounted count on a day at or after the last link day, with SHORT_MEMORY_DAYS."""
        return self.short_count_at_last_day * exp((self.last_day - day) / SHORT_MEMORY_DAYS)

    def long_count(self, day: int) -> float:
        """Return the same with LONG_MEMORY_DAYS."""
        return self.long_count_at_last_day * exp((self.last_day - day) / LONG_MEMORY_DAYS)

    def growth(self, day: int) -> float:
        """Return the rate of link days over the short memory against that over the long one; 1 is no change.

        Each is a discounted count over the discounted time since the first link day.
        """
        age_days = max(day - self.first_day, 1)
        short_time = SHORT_MEMORY_DAYS * (1 - exp(-age_days / SHORT_MEMORY_DAYS))
        long_time = LONG_MEMORY_DAYS * (1 - exp(-age_days / LONG_MEMORY_DAYS))
        long_rate = self.long_count(day) / long_time
        return self.short_count(day) / short_time / long_rate if long_rate else 1.0
