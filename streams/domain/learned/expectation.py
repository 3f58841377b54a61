"""What an article should have gained lately, from its own past and the curve of its kind, against what it gained.

Two ways of life are weighed against each other by how well each explains when the links before the windows came:
the curve (most links early), and a constant rate (evergreen). Under each the expected number is a gamma-Poisson mean

    (PRIOR_WEIGHT + remembered) / (PRIOR_WEIGHT / prior / sqrt(1 + remembered) + remembered time) * time of the window

where time runs as the curve says, or evenly, and what is long ago counts less (`curve.MEMORY_DAYS`). The root lets the
prior fade faster than a gamma's would: articles differ by more than any gamma. A window is expected from what came
before it, so a decline within it doesn't hide itself.

Constants by likelihood on 191,308 quarters of 9,000 public link histories. Expected in 90 days, and gained: 0.28/0.16,
0.55/0.47, 1.10/1.01, 2.39/2.54, 6.10/5.99, 10.7/10.6. Less came where little was expected: many of these had ended.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from math import exp, log, sqrt
from typing import Final, NamedTuple

from flatline.domain.learned.chance import chances, variance_of
from flatline.domain.learned.curve import EDGES_DAYS, MEMORY_DAYS, PRIOR, Curve

WINDOWS_DAYS: Final = (7, 28, 90)
PRIOR_WEIGHT: Final = 0.3
PRIOR_LINKS_AN_ARTICLE: Final = 1.0
EVERGREEN_DAYS: Final = 1_500
"""An article of which nothing is known is expected to take so long for its links, if it is evergreen."""

_EVIDENCE_MAX: Final = 50.0


class Baseline(NamedTuple):
    """What is learned of the articles of a site or a strategy: their curve, and how many links one gains in all."""

    curve: Curve = PRIOR
    links_an_article: float = PRIOR_LINKS_AN_ARTICLE


class Window(NamedTuple):
    """A stretch of days up to now: what should have come, what came, and how probable so few and so many are."""

    expected: float
    gained: int
    chance_of_so_few: float
    chance_of_so_many: float


class Expectation(NamedTuple):
    """``windows`` as WINDOWS_DAYS.

    ``evergreen`` is the weight of the constant rate, 0.5 with nothing to go by. ``links_by_bin`` are all links in the
    curve's bins, and ``passed`` the share of the curve that has passed; both None where the article's first days could
    not be seen.
    """

    windows: tuple[Window, ...]
    evergreen: float
    age_days: float
    links_by_bin: Sequence[int] | None
    passed: float | None


def expect(
    days: Mapping[int, int], *, published_day: int | None, watched_day: int, now_days: float, baseline: Baseline
) -> Expectation | None:
    """Return what an article should have gained; None without any link.

    ``days``: links by UTC day, in order of days. ``now_days``: days since 1970-01-01, with their fraction. The age
    runs from publication where it is registered and not after the first link, else from the first link. Links on the
    first day that could be seen are left out: where that is the day of the first link, it was chosen for it.
    """
    if not days:
        return None
    ordered = list(days)
    origin = ordered[0] if published_day is None or published_day > ordered[0] else published_day
    origin = max(origin, ordered[0] - EDGES_DAYS[-1])  # an older age makes no difference
    begin = min(ordered[0], max(watched_day, origin)) - origin + 1
    now = max(now_days - origin, float(begin))
    counts = list(accumulate(days.values(), initial=0))
    edges = [bisect_left(ordered, origin + edge) for edge in EDGES_DAYS]
    first = bisect_left(ordered, origin + begin)
    past_end = now - WINDOWS_DAYS[-1]
    last = max(first, bisect_left(ordered, origin + past_end))
    evergreen = 0.5
    if last > first:
        evergreen = _evergreen([min(max(at, first), last) for at in edges], baseline.curve, begin, past_end)

    weights = [days[day] * exp((day - origin) / MEMORY_DAYS) for day in ordered[first:]]
    remembered = list(accumulate(weights, initial=0.0))
    prior = PRIOR_WEIGHT / baseline.links_an_article
    curve_at = baseline.curve.at
    _, passed_at_begin = curve_at(begin)
    begin_growth = exp(begin / MEMORY_DAYS)

    def moment(age: float) -> _Moment:
        age = max(age, begin)
        at = bisect_left(ordered, origin + age, first)
        share, passed = curve_at(age)
        growth = exp(age / MEMORY_DAYS)
        known = remembered[at - first] / growth
        unknown = prior / sqrt(1 + known)
        known += PRIOR_WEIGHT
        by_share = known / (unknown + (passed - passed_at_begin) / growth)
        by_day = known / (unknown * EVERGREEN_DAYS + MEMORY_DAYS * (1 - begin_growth / growth))
        return age, share, counts[at], (1 - evergreen) * by_share, evergreen * by_day

    end = moment(now)
    windows = []
    for length in WINDOWS_DAYS:
        expected, gained = _between(moment(now - length), end)
        windows.append(Window(expected, gained, *chances(gained, expected, variance_of(expected, length))))
    is_whole = begin == 1
    return Expectation(
        tuple(windows),
        evergreen,
        now,
        [counts[later] - counts[earlier] for earlier, later in pairwise(edges)] if is_whole else None,
        end[1] if is_whole else None,
    )


# An age of an article; the share of the curve and the links by then; and the rates at which more were expected from
# then on: for the whole curve, and a day. A bare tuple, as there are ten a judgement.
_Moment = tuple[float, float, int, float, float]


def _between(start: _Moment, end: _Moment) -> tuple[float, int]:
    """Return the links expected and gained between two moments."""
    start_age, start_share, start_links, by_share, by_day = start
    return by_share * (end[1] - start_share) + by_day * (end[0] - start_age), end[2] - start_links


def _evergreen(link_days: Sequence[int], curve: Curve, begin: float, end: float) -> float:
    """Return the probability of a constant rate against the curve, as likely as each other before any evidence.

    ``link_days``: how many there were by each of EDGES_DAYS, between the two ages. Days, as links come in clumps.
    """
    total = link_days[-1] - link_days[0]
    by_bin = [later - earlier for earlier, later in pairwise(link_days)]
    evidence = -total * log(end - begin) - curve.log_likelihood(by_bin, begin, end)
    return 1 / (1 + exp(-max(-_EVIDENCE_MAX, min(evidence, _EVIDENCE_MAX))))


def shortfall(expectation: Expectation, *, chance: float, watched_days: float) -> tuple[int, Window] | None:
    """Return the least probable window that is at most so probable, with its days; None if there is none.

    Of the last 28 and 90 days, if they were watched as a whole.
    """
    short = [
        (days, window)
        for days, window in zip(WINDOWS_DAYS[1:], expectation.windows[1:], strict=True)
        if days <= watched_days and window.chance_of_so_few <= chance
    ]
    return min(short, key=lambda found: found[1].chance_of_so_few, default=None)
