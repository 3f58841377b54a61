"""How few, or how many, links a group gained lately, against its own past.

The links of a week have a negative binomial distribution: they come in clumps, of one crawl or of one page that links
to many articles. Rate and dispersion are learned from the group's own weeks before the stretch that is judged, what is
long ago counting less.

A burst is no measure of what follows it. So the rate is the lower of two, of the last months and of the last years (the
higher one, where it is asked whether too many came). And for the chances a week counts CAP times the usual week with
links at most. (On public link histories, which come to an
end more often than they begin, the rate of the years alone expected 1.28 times the links that came to judged groups.)
"""

from collections.abc import Sequence
from math import exp
from typing import Final, NamedTuple

from flatline.domain.groups.weekly_links import JOINED_WEEKS, WEEK_DAYS
from flatline.domain.learned.chance import chances

STRETCHES_WEEKS: Final = (4, 6, 8, 10, 13, 17, 21, JOINED_WEEKS)
QUARTER_WEEKS: Final = 13
HISTORY_WEEKS_MIN: Final = 26
"""Weeks before a stretch that are required to know what to expect in it."""

LONG_MEMORY_WEEKS: Final = 52.0
SHORT_MEMORY_WEEKS: Final = 10.0
CAP: Final = 2
CAP_LINKS_MIN: Final = 3
DISPERSION: Final = 1.4
"""Variance against mean of an article's links in four weeks, on public link histories: the prior for a group's."""

DISPERSION_PRIOR_LINKS: Final = 4
DISPERSION_MEMORY_WEEKS: Final = 78.0
UNCERTAINTY: Final = 0.5
"""How much a stretch as long as the time that its rate was learned from adds to the variance, as a share of it."""

_DISPERSION_AFTER_WEEKS: Final = 8


class Stretch(NamedTuple):
    """The last so many days of a group, and how probable so few, or so many, links are if nothing had changed.

    ``expected_at_most``  by the higher of the two rates, against which ``chance_of_so_many`` is
    ``without_bursts``    the share of the expected links that came, both without bursts
    ``chance_of_none_in_quarter``  how probable it was that no link comes for QUARTER_WEEKS
    """

    days: int
    expected: float
    expected_at_most: float
    gained: int
    chance_of_so_few: float
    chance_of_so_many: float
    without_bursts: float
    chance_of_none_in_quarter: float


class _Pace(NamedTuple):
    """What is known before a week: links a week, the lower and the higher rate; their dispersion; from how many weeks.

    ``without_bursts``: the rates without bursts.
    """

    rates: tuple[float, float] = (0.0, 0.0)
    without_bursts: tuple[float, float] = (0.0, 0.0)
    dispersion: float = DISPERSION
    weeks: float = 0.0


class GroupPast:
    """The links of a group by week, the newest last, from the first week with any on."""

    def __init__(self, links: Sequence[float]) -> None:
        first = next((number for number, came in enumerate(links) if came), len(links))
        self._links = links[first:]
        self._without_bursts, self._memories = _memories(self._links)

    def rate_before(self, weeks: int) -> float:
        """Return the links a week to expect of the newest weeks, by those before; 0 if there were none."""
        return self._pace_before(max(0, len(self._links) - weeks)).rates[0]

    def stretches(self) -> list[Stretch]:
        """Return the stretches up to now of which it is known what to expect."""
        found = []
        for weeks in STRETCHES_WEEKS:
            begin = len(self._links) - weeks
            if begin < HISTORY_WEEKS_MIN:
                break
            pace = self._pace_before(begin)
            low, high = (rate * weeks for rate in pace.without_bursts)
            spread = pace.dispersion * (1 + UNCERTAINTY * weeks / pace.weeks)
            came = sum(self._without_bursts[begin:])
            few, _ = chances(round(came), low, low * spread)
            _, many = chances(round(came), high, high * spread)
            quarter = pace.without_bursts[0] * QUARTER_WEEKS
            none, _ = chances(0, quarter, quarter * pace.dispersion * (1 + UNCERTAINTY * QUARTER_WEEKS / pace.weeks))
            expected, expected_at_most = (rate * weeks for rate in pace.rates)
            gained = round(sum(self._links[begin:]))
            share = came / low if low else 1.0
            found.append(Stretch(weeks * WEEK_DAYS, expected, expected_at_most, gained, few, many, share, none))
        return found

    def _pace_before(self, week: int) -> _Pace:
        """Return what is known before a week, counted from the first."""
        if not week:
            return _Pace()
        weeks, short_weeks, total, short_total, capped, short_capped, squares, foretold = self._memories[week - 1]
        rates = total / weeks, short_total / short_weeks
        without_bursts = capped / weeks, short_capped / short_weeks
        dispersion = (squares + DISPERSION_PRIOR_LINKS * DISPERSION) / (foretold + DISPERSION_PRIOR_LINKS)
        return _Pace((min(rates), max(rates)), (min(without_bursts), max(without_bursts)), max(1.0, dispersion), weeks)


# After a week: the weeks so far and the links of these, each by the long and the short memory, then without bursts; and
# the squares of how far links without bursts were from what was foretold, and that. A bare tuple, as there are 156 a
# judgement, of which eleven are asked for.
_Memory = tuple[float, float, float, float, float, float, float, float]

_LONG, _SHORT, _SLOW = (exp(-1 / memory) for memory in (LONG_MEMORY_WEEKS, SHORT_MEMORY_WEEKS, DISPERSION_MEMORY_WEEKS))


def _memories(links: Sequence[float]) -> tuple[list[float], list[_Memory]]:
    """Return the links by week without bursts, and what is remembered after each week."""
    long, short, slow = _LONG, _SHORT, _SLOW
    weeks = short_weeks = weeks_with_links = 0.0
    total = short_total = capped_total = short_capped = 0.0
    squares = foretold = 0.0
    capped, memories = list[float](), list[_Memory]()
    for number, came in enumerate(links):
        counted = came
        if came > CAP_LINKS_MIN:
            usual = (total + CAP_LINKS_MIN) / (weeks_with_links + 2)
            counted = min(came, float(int(max(CAP_LINKS_MIN, CAP * usual))))
        capped.append(counted)
        if number >= _DISPERSION_AFTER_WEEKS:
            rate = capped_total / weeks
            squares = squares * slow + (counted - rate) ** 2
            foretold = foretold * slow + rate
        weeks, short_weeks = weeks * long + 1, short_weeks * short + 1
        weeks_with_links = weeks_with_links * long + (came > 0)
        total, short_total = total * long + came, short_total * short + came
        capped_total, short_capped = capped_total * long + counted, short_capped * short + counted
        memories.append((weeks, short_weeks, total, short_total, capped_total, short_capped, squares, foretold))
    return capped, memories
