"""The weeks in which a source reported links of an article: a join, as the links are."""

from typing import Final

from flatline.domain.time import DAY_MS

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


def newest_week(credit: Credit) -> int:
    """Return the number of the newest week of a credit."""
    return credit >> _WEEKS


def weeks_until(credit: Credit, week: int) -> int:
    """Return a bit for each of the 48 weeks up to ``week``, the newest lowest; that is not before the newest week."""
    return (credit & _WEEKS_MASK) << (week - newest_week(credit)) & _WEEKS_MASK


def week_begins_ms(credit: Credit) -> int:
    """Return the instant at which the newest week of a credit begins."""
    return (credit >> _WEEKS) * _WEEK_MS


def weeks_of(credit: Credit) -> int:
    """Return how many of the 48 weeks up to its newest a credit has."""
    return (credit & _WEEKS_MASK).bit_count()
