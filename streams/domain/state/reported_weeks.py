"""The weeks in which a source reported links of an article: a join, as the links are."""

from typing import Final

from flatline.domain.time import DAY_MS

_WEEK_MS: Final = 7 * DAY_MS
_WEEKS: Final = 48  # a year, as near as a number of 64 bits has room for beside the week
_WEEKS_MASK: Final = (1 << _WEEKS) - 1
_WEEK_MAX: Final = (1 << 64 - _WEEKS) - 1  # in the year 3225; records with times in microseconds are of 9999

ReportedWeeks = int
"""The weeks in which a source reported links of an article: the number of the newest, shifted by 48, and a bit for each
of the 48 weeks up to it, the newest lowest. It is a function of the set of reports."""


def with_report(weeks: ReportedWeeks, at_ms: int) -> ReportedWeeks:
    """Return the weeks (0: none yet) after a report of a link gained at ``at_ms``."""
    week, newest = min(at_ms // _WEEK_MS, _WEEK_MAX), weeks >> _WEEKS
    bits = weeks & _WEEKS_MASK
    if week > newest:
        return week << _WEEKS | (bits << min(week - newest, _WEEKS) | 1) & _WEEKS_MASK
    ago = newest - week
    return weeks | 1 << ago if ago < _WEEKS else weeks


def joined(one: ReportedWeeks, other: ReportedWeeks) -> ReportedWeeks:
    """Return the weeks of both."""
    older, newer = sorted((one, other), key=lambda weeks: weeks >> _WEEKS)
    ago = min((newer >> _WEEKS) - (older >> _WEEKS), _WEEKS)
    return newer | (older & _WEEKS_MASK) << ago & _WEEKS_MASK


def is_of_newest_week(weeks: ReportedWeeks, at_ms: int) -> bool:
    """Whether a report of a link gained at ``at_ms`` adds nothing for the most usual reason, found fast."""
    return weeks >> _WEEKS == at_ms // _WEEK_MS


def newest_week(weeks: ReportedWeeks) -> int:
    """Return the number of the newest week."""
    return weeks >> _WEEKS


def weeks_until(weeks: ReportedWeeks, week: int) -> int:
    """Return a bit for each of the 48 weeks up to ``week``, the newest lowest; that is not before the newest week."""
    return (weeks & _WEEKS_MASK) << (week - newest_week(weeks)) & _WEEKS_MASK


def week_begins_ms(weeks: ReportedWeeks) -> int:
    """Return the instant at which the newest week begins."""
    return (weeks >> _WEEKS) * _WEEK_MS


def weeks_of(weeks: ReportedWeeks) -> int:
    """Return in how many of the 48 weeks up to the newest the source reported."""
    return (weeks & _WEEKS_MASK).bit_count()
