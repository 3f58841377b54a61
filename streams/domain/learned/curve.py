"""The curve of a site: which share of its links an article has gained by which age, learned from its articles.

A young article has not had its later links yet, so shares are not averaged. They are put together from the oldest age
down, as actuaries do with claims that are still to come (chain ladder; for survival, the product limit of Lagakos,
Barraj and De Gruttola 1988 under right truncation): of the links by the end of a bin of ages, which share came within
it, over those articles alone that have passed the bin? No article's own number of links bends that.

Day 0 stands for itself: it is the day of the first link where no day of publication is registered, so its link is no
luck. All shares are of the links after it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import exp, log
from operator import mul
from typing import Final

EDGES_DAYS: Final = (1, 7, 14, 28, 60, 90, 180, 365, 730, 1460, 2920, 5840)
"""Bins of ages are half-open, [1, 7), [7, 14) and so on. Nothing is expected of older articles."""

BINS: Final = len(EDGES_DAYS) - 1

MEMORY_DAYS: Final = 365.0
"""What an article gained counts less by exp(-age / MEMORY_DAYS) for what is expected of it."""

QUOTED_SHARE: Final = 0.66
QUOTED_DAYS: Final = 90
PRIOR_LINKS: Final = 50
"""So many links of a site weigh as much as the prior. A link weighs in each bin that its article has passed since."""

_GROWTH: Final = [exp(edge / MEMORY_DAYS) for edge in EDGES_DAYS]
_NEVER: Final = 1e-9  # the share a day where a curve has none: unlikely, not impossible


class Curve:
    """The cumulative share of links by age.

    ``shares``  at each of EDGES_DAYS, from 0 to 1, never falling
    ``links``   how many it was learned from
    """

    __slots__ = ("_densities", "_grown", "_log_densities", "links", "shares")

    def __init__(self, shares: Sequence[float], links: int = 0) -> None:
        self.shares = tuple(shares)
        self.links = links
        self._densities = [
            (later - earlier) / (right - left)
            for (earlier, later), (left, right) in zip(pairwise(shares), pairwise(EDGES_DAYS), strict=True)
        ]
        self._log_densities = [log(max(density, _NEVER)) for density in self._densities]
        self._grown = [0.0]
        for density, (left, right) in zip(self._densities, pairwise(_GROWTH), strict=True):
            self._grown.append(self._grown[-1] + density * MEMORY_DAYS * (right - left))

    def share(self, age_days: float) -> float:
        """Return the share of links gained before this age."""
        return self.at(age_days)[0]

    def at(self, age_days: float) -> tuple[float, float]:
        """Return the share of links gained before an age, and its time: the integral of exp(age / MEMORY_DAYS) over it.

        Time between two ages, discounted by its distance from a third, is the difference over the third's exp.
        """
        if age_days <= EDGES_DAYS[0]:
            return 0.0, 0.0
        if age_days >= EDGES_DAYS[-1]:
            return 1.0, self._grown[-1]
        number = bisect_right(EDGES_DAYS, age_days) - 1
        density, edge = self._densities[number], EDGES_DAYS[number]
        grown = density * MEMORY_DAYS * (exp(age_days / MEMORY_DAYS) - _GROWTH[number])
        return self.shares[number] + (age_days - edge) * density, self._grown[number] + grown

    def log_likelihood(self, links_by_bin: Sequence[float], begin_days: float, end_days: float) -> float:
        """Return ln of how well the curve explains when links came that came between two ages, up to a constant."""
        explained: float = sum(map(mul, links_by_bin, self._log_densities))
        within = max(self.share(end_days) - self.share(begin_days), _NEVER)
        return explained - sum(links_by_bin) * log(within)


def _prior() -> Curve:
    # x / (x + half), scaled to 1 at the last edge, where `half` makes it pass through the quoted share.
    span, quoted = EDGES_DAYS[-1] - EDGES_DAYS[0], QUOTED_DAYS - EDGES_DAYS[0]
    half = quoted * span * (1 - QUOTED_SHARE) / (QUOTED_SHARE * span - quoted)
    at_end = span / (span + half)
    return Curve([(edge - 1) / (edge - 1 + half) / at_end for edge in EDGES_DAYS])


PRIOR: Final = _prior()
"""The often quoted curve: two thirds of the links in the first 90 days."""


def learned(within: Sequence[float], by_end: Sequence[float], *, prior: Curve = PRIOR) -> Curve:
    """Return the curve of articles.

    For each bin, over the articles that have passed it: ``within``, the links that came in it, and ``by_end``, those
    that came by its end. The prior weighs as much as PRIOR_LINKS links.
    """
    shares = [1.0]
    for number in range(BINS - 1, -1, -1):
        later = prior.shares[number + 1]
        expected = 1 - prior.shares[number] / later if later else 0.0
        last = (within[number] + PRIOR_LINKS * expected) / (by_end[number] + PRIOR_LINKS)
        shares.append(shares[-1] * max(0.0, 1 - last))
    shares.reverse()
    return Curve(shares, links=round(max(by_end)))
