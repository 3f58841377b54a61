"""When an article gained links: the days, and what a judgement needs to know of them.

A *link day* is a UTC day, counted from 1970-01-01, on which the article gained at least one link from a page that had
not linked to it before. Imports and first meetings of a page make no link day: their dates are not the link's.
"""

from collections.abc import Iterable
from itertools import pairwise
from math import exp, fsum, log, sqrt
from typing import Final, NamedTuple, Self

GAPS_REMEMBERED: Final = 10
SHORT_MEMORY_DAYS: Final = 90
LONG_MEMORY_DAYS: Final = 365

_MEMORIES: Final = (SHORT_MEMORY_DAYS, LONG_MEMORY_DAYS)


class Rhythm(NamedTuple):
    """The summary of an article's link days. All lengths are in days."""

    link_days: int
    first_day: int
    last_day: int
    mean_gap_days: float  # over the last GAPS_REMEMBERED gaps; 0 with a single link day
    mean_log_gap: float  # of the natural logarithms of the same gaps: exp of it is the usual gap; 0 without any
    sd_log_gap: float  # their standard deviation: near 0 where links come regularly
    short_count_at_last_day: float  # link days but the first, each discounted by exp(-age / SHORT_MEMORY_DAYS)
    long_count_at_last_day: float  # the same with LONG_MEMORY_DAYS
    before: "Rhythm | None"  # the rhythm as it was before the last link day, itself without such

    @classmethod
    def of(cls, days: Iterable[int]) -> Self | None:
        """Summarise link days given in any order; None without any."""
        ordered = sorted(days)
        if not ordered:
            return None
        gaps = [later - earlier for earlier, later in pairwise(ordered[-GAPS_REMEMBERED - 2 :])]
        logs = [log(gap) for gap in gaps]
        newest = slice(-GAPS_REMEMBERED, None)
        if not gaps:
            return cls._of(ordered, gaps, logs, (0.0, 0.0), None)
        *earlier, last = ordered
        before_last = earlier[-1]
        ages = [day - before_last for day in earlier[1:]]
        counts = tuple(sum([exp(age / memory) for age in ages]) for memory in _MEMORIES)
        before = cls._of(earlier, gaps[:-1], logs[:-1], counts, None)
        now = tuple(
            1 + count * exp((before_last - last) / memory) for count, memory in zip(counts, _MEMORIES, strict=True)
        )
        return cls._of(ordered, gaps[newest], logs[newest], now, before)

    @classmethod
    def _of(
        cls,
        ordered: list[int],
        gaps: list[int],
        logs: list[float],
        counts: tuple[float, ...],
        before: "Rhythm | None",
    ) -> Self:
        """Summarise link days in order; ``gaps``: the last ones between them, and ``logs``: their logarithms."""
        mean_log = fsum(logs) / len(logs) if logs else 0.0
        return cls(
            link_days=len(ordered),
            first_day=ordered[0],
            last_day=ordered[-1],
            mean_gap_days=sum(gaps) / len(gaps) if gaps else 0.0,
            mean_log_gap=mean_log,
            sd_log_gap=sqrt(fsum([(each - mean_log) ** 2 for each in logs]) / len(logs)) if logs else 0.0,
            short_count_at_last_day=counts[0],
            long_count_at_last_day=counts[1],
            before=before,
        )

    @property
    def usual_gap_days(self) -> float:
        """The geometric mean of the gaps; 0 without any."""
        return exp(self.mean_log_gap) if self.link_days > 1 else 0.0

    def days_since_last_link(self, today: int) -> int:
        """Return the length of the pause; 0 also where the last link day is later, by a clock that is ahead of ours."""
        return max(0, today - self.last_day)

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
