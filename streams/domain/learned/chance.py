"""How probable a count is: the negative binomial distribution by its mean and variance.

Links come in clumps: one page with three of them, one crawl that finds ten. On real histories the variance of an
article's links in a window is its mean times 1 + window * CLUMPING_A_DAY, and mean² / SPREAD more, as no mean is known
exactly (maximum likelihood: 2.4 times the mean for 90 days, 1.3 times for 28).
"""

from math import exp, lgamma, log, log1p
from typing import Final

CLUMPING_A_DAY: Final = 1 / 70
SPREAD: Final = 9.0

_NEGLIGIBLE: Final = 1e-12
_POISSON_EXCESS: Final = 1e-6


def variance_of(mean: float, window_days: float) -> float:
    """Return the variance of an article's links in a window, given their mean."""
    return mean * (1 + window_days * CLUMPING_A_DAY) + mean * mean / SPREAD


def chances(count: int, mean: float, variance: float) -> tuple[float, float]:
    """Return P(X <= count) and P(X >= count) of a negative binomial X with this mean and variance (at least the mean).

    Sums of the exact terms, from ``count`` away from the mean.
    """
    if mean <= 0:
        return 1.0, float(count == 0)
    excess = max(variance / mean - 1, _POISSON_EXCESS)
    if count == 0:
        return exp(-mean / excess * log1p(excess)), 1.0
    size, odds = mean / excess, excess / (1 + excess)  # odds: the ratio of successive terms far out
    at = exp(lgamma(count + size) - lgamma(size) - lgamma(count + 1) - size * log1p(excess) + count * log(odds))
    if count <= mean:
        few = _sum_down(at, count, size, odds)
        return min(1.0, few), min(1.0, 1 - few + at)
    many = _sum_up(at, count, size, odds)
    return min(1.0, 1 - many + at), min(1.0, many)


def _sum_down(term: float, count: int, size: float, odds: float) -> float:
    total = term
    while count > 0 and term > total * _NEGLIGIBLE:
        term *= count / ((count - 1 + size) * odds)
        total += term
        count -= 1
    return total


def _sum_up(term: float, count: int, size: float, odds: float) -> float:
    total = term
    while term > total * _NEGLIGIBLE:
        term *= (count + size) * odds / (count + 1)
        total += term
        count += 1
    return total
