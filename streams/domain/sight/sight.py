"""What could be seen of an article: silence is only what somebody would have heard.

Its *usual sources* are those that reported its links of the last year before the newest, and of which more is
expected: an import that once told its history shows nothing now. They matter by their share: of the weeks in which
anybody reported a link of it, those in which a source that can see did. A day on which all its usual sources could see
counts in full towards its silence; one on which those that could see used to report half of its weeks with links
counts half; one on which none could see does not count. (Links thinned to a share come as a process of that share's
rate does, which shows as little in a whole day as the full one in a part of it.)
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from flatline.domain.rhythm import DAY_MS

_WEEK_MS: Final = 7 * DAY_MS
_WEEKS: Final = 48  # a year, as near as a number of 64 bits has room for beside the week
_WEEKS_MASK: Final = (1 << _WEEKS) - 1

Credit = int
"""The weeks in which a source reported links of an article: the number of the newest, shifted by 48, and a bit for each
of the 48 weeks up to it, the newest lowest. It is a function of the set of reports."""


def credited(credit: Credit, at_ms: int) -> Credit:
    """Return the credit (0: none yet) after a report of a link gained at ``at_ms``."""
    week, newest = at_ms // _WEEK_MS, credit >> _WEEKS
    weeks = credit & _WEEKS_MASK
    if week > newest:
        return week << _WEEKS | (weeks << min(week - newest, _WEEKS) | 1) & _WEEKS_MASK
    ago = newest - week
    return credit | 1 << ago if ago < _WEEKS else credit


def joined(one: Credit, other: Credit) -> Credit:
    """Return the credit after the reports of both."""
    older, newer = sorted((one, other), key=lambda credit: credit >> _WEEKS)
    ago = min((newer >> _WEEKS) - (older >> _WEEKS), _WEEKS)
    return newer | (older & _WEEKS_MASK) << ago & _WEEKS_MASK


def is_of_newest_week(credit: Credit, at_ms: int) -> bool:
    """Whether a report of a link gained at ``at_ms`` adds nothing for the most usual reason, found fast."""
    return credit >> _WEEKS == at_ms // _WEEK_MS


def week_begins_ms(credit: Credit) -> int:
    """Return the instant at which the newest week of a credit begins."""
    return (credit >> _WEEKS) * _WEEK_MS


def weeks_of(credit: Credit) -> int:
    """Return how many of the 48 weeks up to its newest a credit has."""
    return (credit & _WEEKS_MASK).bit_count()


UNSEEN_DAYS_MAX: Final = 7.0
"""A quarter of the shortest window over which a group is judged."""


class Behind(NamedTuple):
    """A source that has not seen everything: up to when it has, and why in words; None if that is usual for it."""

    seen_until_ms: int
    because: str | None = None
    is_stale: bool = False


class View(NamedTuple):
    """What an article's usual sources could see since its last link.

    ``unseen_days``  how many of the days since count for nothing; shares of days add up
    ``late_days``    of how many days before this week links may have come in this week, with this week's date
    ``because``      why, where it is unusual, or nothing can be said at all
    ``is_blind``     none of them can see: all are stale, or the worker lags
    """

    unseen_days: float = 0.0
    late_days: int = 0
    because: str | None = None
    is_blind: bool = False

    @property
    def is_dim(self) -> bool:
        """Whether so little can be seen that nothing is asked: not because its sources usually report days late."""
        return self.is_blind or self.unseen_days > UNSEEN_DAYS_MAX


CLEAR: Final = View()


class Sight(NamedTuple):
    """What can't be seen at the moment, by source.

    ``expected``   the sources of which more is expected
    ``behind``     those of them that have not seen everything
    ``late_days``  for how long those were away that came back lately
    """

    expected: frozenset[str] = frozenset()
    behind: Mapping[str, Behind] = {}
    late_days: Mapping[str, int] = {}
    is_lagging: bool = False

    def view(self, reported: Mapping[str, Credit], *, since_ms: int, now_ms: int) -> View:
        """Return what could be seen of an article after ``since_ms``, given what its sources reported."""
        late_days = max((days for source, days in self.late_days.items() if source in reported), default=0)
        if self.is_lagging:
            days = max(0.0, (now_ms - since_ms) / DAY_MS)
            return View(days, late_days, "the worker has not caught up with its records", is_blind=True)
        if self.behind.keys().isdisjoint(reported):
            return View(0.0, late_days) if late_days else CLEAR
        return self._partial(reported, since_ms=since_ms, now_ms=now_ms, late_days=late_days)

    def _partial(self, reported: Mapping[str, Credit], *, since_ms: int, now_ms: int, late_days: int) -> View:
        newest = max(credit >> _WEEKS for source, credit in reported.items() if source in self.expected)
        usual = {
            source: weeks
            for source, credit in reported.items()
            if source in self.expected
            and (weeks := (credit & _WEEKS_MASK) << (newest - (credit >> _WEEKS)) & _WEEKS_MASK)
        }
        everything, seeing = 0, 0
        for source, weeks in usual.items():
            everything |= weeks
            if source not in self.behind:
                seeing |= weeks
        # From now backwards: with each source that had seen until then, more could be seen.
        blind = sorted(
            usual.keys() & self.behind.keys(), key=lambda source: (self.behind[source].seen_until_ms, source)
        )
        unseen_ms, until_ms = 0.0, now_ms
        for source in reversed(blind):
            begin_ms = max(since_ms, self.behind[source].seen_until_ms)
            if begin_ms < until_ms:
                unseen_ms += (until_ms - begin_ms) * (1 - seeing.bit_count() / everything.bit_count())
                until_ms = begin_ms
            seeing |= usual[source]
        because = (self.behind[source].because for source in blind) if unseen_ms else ()
        is_blind = all(source in self.behind and self.behind[source].is_stale for source in usual)
        return View(unseen_ms / DAY_MS, late_days, next(filter(None, because), None), is_blind)
