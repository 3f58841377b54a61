"""What sources can see at the moment, and on which days the links of an article would have been reported.

A day on which no source could see a new link says nothing about the article, so it does not count towards a silence.

Its *usual sources* are those that reported its links of the last year before the newest, and of which more is
expected: an import that once told its history shows nothing now. They matter by their share: of the weeks in which
anybody reported a link of it, those in which a source that can see did. A day on which all its usual sources could see
counts in full towards its silence; one on which those that could see used to report half of its weeks with links
counts half; one on which none could see does not count. (Links thinned to a share come as a process of that share's
rate does, which shows as little in a whole day as the full one in a part of it.)
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from flatline.domain.state.reported_weeks import ReportedWeeks, newest_week, weeks_until
from flatline.domain.time import DAY_MS

UNSEEN_DAYS_MAX: Final = 7.0
"""A quarter of the shortest window over which a group is judged."""


class SourceDelay(NamedTuple):
    """How far a source has reported that has not reported everything yet.

    ``seen_until_ms``  up to when it has
    ``reason``         why, in words; None if so much delay is usual for it
    ``is_stale``       whether nothing was received from it for too long
    """

    seen_until_ms: int
    reason: str | None = None
    is_stale: bool = False


class ArticleVisibility(NamedTuple):
    """What an article's usual sources could see since its last link.

    ``unseen_days``  how many of the days since count for nothing; shares of days add up
    ``late_days``    of how many days before this week links may have come in this week, with this week's date
    ``reason``       why, where it is unusual, or nothing can be said at all
    ``is_unseen``    none of them can see: all are stale, or the worker lags
    """

    unseen_days: float = 0.0
    late_days: int = 0
    reason: str | None = None
    is_unseen: bool = False

    @property
    def is_hardly_seen(self) -> bool:
        """Whether more than UNSEEN_DAYS_MAX days could not be seen, so that no links can be expected of the article."""
        return self.is_unseen or self.unseen_days > UNSEEN_DAYS_MAX


FULLY_VISIBLE: Final = ArticleVisibility()


class Visibility(NamedTuple):
    """What sources can see at the moment.

    ``expected``   the sources that are expected to report more
    ``delays``     of those of them that have not seen everything
    ``late_days``  for how long those were away that came back lately
    """

    expected: frozenset[str] = frozenset()
    delays: Mapping[str, SourceDelay] = {}
    late_days: Mapping[str, int] = {}
    is_lagging: bool = False

    def of_article(self, reported: Mapping[str, ReportedWeeks], *, since_ms: int, now_ms: int) -> ArticleVisibility:
        """Return what could be seen of an article after ``since_ms``, given what its sources reported."""
        late_days = max((days for source, days in self.late_days.items() if source in reported), default=0)
        if self.is_lagging:
            days = max(0.0, (now_ms - since_ms) / DAY_MS)
            return ArticleVisibility(days, late_days, "the worker has not caught up with its records", is_unseen=True)
        if self.delays.keys().isdisjoint(reported):
            return ArticleVisibility(0.0, late_days) if late_days else FULLY_VISIBLE
        return self._partial(reported, since_ms=since_ms, now_ms=now_ms, late_days=late_days)

    def _partial(
        self, reported: Mapping[str, ReportedWeeks], *, since_ms: int, now_ms: int, late_days: int
    ) -> ArticleVisibility:
        newest = max(newest_week(weeks) for source, weeks in reported.items() if source in self.expected)
        usual = {
            source: weeks
            for source, all_weeks in reported.items()
            if source in self.expected and (weeks := weeks_until(all_weeks, newest))
        }
        everything, seeing = 0, 0
        for source, weeks in usual.items():
            everything |= weeks
            if source not in self.delays:
                seeing |= weeks
        # From now backwards: with each source that had seen until then, more could be seen.
        behind = sorted(
            usual.keys() & self.delays.keys(), key=lambda source: (self.delays[source].seen_until_ms, source)
        )
        unseen_ms, until_ms = 0.0, now_ms
        for source in reversed(behind):
            begin_ms = max(since_ms, self.delays[source].seen_until_ms)
            if begin_ms < until_ms:
                unseen_ms += (until_ms - begin_ms) * (1 - seeing.bit_count() / everything.bit_count())
                until_ms = begin_ms
            seeing |= usual[source]
        reasons = (self.delays[source].reason for source in behind) if unseen_ms else ()
        is_unseen = all(source in self.delays and self.delays[source].is_stale for source in usual)
        return ArticleVisibility(unseen_ms / DAY_MS, late_days, next(filter(None, reasons), None), is_unseen)
