"""The learned curve: against a truth that was simulated, and against the same estimate computed another way."""

import random
from itertools import pairwise
from math import exp, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.groups.survey import NOTHING, Sums, contribution
from flatline.domain.learned.curve import (
    BINS,
    EDGES_DAYS,
    MEMORY_DAYS,
    PRIOR,
    PRIOR_LINKS,
    QUOTED_DAYS,
    QUOTED_SHARE,
    Curve,
    learned,
)
from flatline.domain.learned.expectation import Baseline, expect

NOW = 20_000
# Half of all links in the first year, the rest over the years: far from what is quoted.
TRUTH = Curve([0, 0.02, 0.04, 0.08, 0.14, 0.2, 0.32, 0.5, 0.7, 0.85, 0.95, 1.0])


def simulated(articles: int, seed: int = 1) -> list[dict[int, int]]:
    """Return articles that follow TRUTH, most of them young, the young ones with far fewer links in all."""
    rng = random.Random(seed)
    histories = []
    for _ in range(articles):
        age = int(rng.uniform(30, 300) if rng.random() < 0.8 else rng.uniform(300, 6_000))
        links = 20 + rng.randrange(age // 20 + 1)
        days = {NOW - age: 1}
        for _ in range(links):
            share = rng.random()
            number = max(n for n in range(BINS) if TRUTH.shares[n] <= share)
            within = (share - TRUTH.shares[number]) / (TRUTH.shares[number + 1] - TRUTH.shares[number])
            day = NOW - age + int(EDGES_DAYS[number] + within * (EDGES_DAYS[number + 1] - EDGES_DAYS[number]))
            if day < NOW:
                days[day] = days.get(day, 0) + 1
        histories.append(dict(sorted(days.items())))
    return histories


def summed(histories: list[dict[int, int]]) -> Sums:
    """Return what articles add up to."""
    total = list(NOTHING.values)
    for days in histories:
        expectation = expect(days, published_day=None, watched_day=0, now_days=NOW, baseline=Baseline())
        values = contribution(expectation, days, watched_day=0, last_week=0, now_ms=0)
        total = [known + value for known, value in zip(total, values, strict=True)]
    return Sums(total)


def shares_by_iteration(histories: list[dict[int, int]]) -> list[float]:
    """Estimate shares by maximum likelihood of Poisson counts, article by article: scale times share, in turns."""
    rows = []
    for days in histories:
        first = next(iter(days))
        bins = [
            sum(count for day, count in days.items() if left <= day - first < right)
            for left, right in pairwise(EDGES_DAYS)
            if right <= NOW - first
        ]
        rows.append(bins)
    shares = [1 / BINS] * BINS
    for _ in range(1_000):
        scales = [sum(bins) / sum(shares[: len(bins)]) for bins in rows]
        shares = [
            sum(bins[n] for bins in rows if len(bins) > n)
            / sum(scale for scale, bins in zip(scales, rows, strict=True) if len(bins) > n)
            for n in range(BINS)
        ]
        shares = [share / sum(shares) for share in shares]
    return [sum(shares[:n]) for n in range(BINS + 1)]


def test_the_prior_is_what_is_quoted() -> None:
    """66 % in the first 90 days, nothing before the first, all at the end."""
    assert isclose(PRIOR.share(QUOTED_DAYS), QUOTED_SHARE)
    assert (PRIOR.share(0), PRIOR.share(1), PRIOR.share(10_000)) == (0, 0, 1)


def test_truth_is_found_although_most_articles_are_young() -> None:
    """Links that are still to come bend nothing: naive shares are far off, learned ones by hundredths."""
    histories = simulated(1_500)
    sums = summed(histories)
    curve = learned(sums.within, sums.by_end)
    assert max(abs(curve.share(edge) - TRUTH.share(edge)) for edge in EDGES_DAYS) < 0.04
    links = sum(sum(days.values()) - 1 for days in histories)
    naive = sum(count for days in histories for day, count in days.items() if 1 <= day - next(iter(days)) < 365)
    assert naive / links - TRUTH.share(365) > 0.15


def test_it_is_the_estimate_of_maximum_likelihood() -> None:
    """Sums over articles give what iterating over all articles' scales gives, the prior's weight apart."""
    histories = simulated(400, seed=1)
    sums = summed(histories)
    many = learned([1e9 * value for value in sums.within], [1e9 * value for value in sums.by_end])
    reference = shares_by_iteration(histories)
    assert max(abs(share - other) for share, other in zip(many.shares, reference, strict=True)) < 0.005


def test_without_links_it_is_the_prior_and_with_few_it_stays_near() -> None:
    """It starts from the prior, and as many links as the prior weighs bring it halfway."""
    nothing = [0.0] * BINS
    assert learned(nothing, nothing).shares == pytest.approx(PRIOR.shares)
    weight = float(PRIOR_LINKS)
    none_in_last = [0.0] * BINS
    by_end = [0.0] * (BINS - 1) + [weight]
    halfway = learned(none_in_last, by_end)
    assert 1 - halfway.shares[-2] == pytest.approx((1 - PRIOR.shares[-2]) / 2)


counts = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=BINS, max_size=BINS)


@given(counts, st.lists(st.floats(0, 7_000), min_size=2, max_size=20))
def test_shares_never_fall_and_lie_between_0_and_1(bins: list[tuple[int, int]], ages: list[float]) -> None:
    """Whatever the sums, it is a cumulative share."""
    curve = learned([within for within, _ in bins], [within + before for within, before in bins])
    shares = [curve.share(age) for age in sorted(ages)]
    assert all(earlier <= later + 1e-12 for earlier, later in pairwise(shares))
    assert all(0 <= share <= 1 for share in shares)


@pytest.mark.parametrize(("begin", "end"), [(1, 40), (1, 1_000), (200, 201), (3, 7_000)])
def test_remembered_time_is_the_discounted_density(begin: int, end: int) -> None:
    """Against the sum over small steps."""
    steps = 20_000
    width = (end - begin) / steps
    ages = [begin + width * number for number in range(steps + 1)]
    total = sum(
        (TRUTH.share(later) - TRUTH.share(earlier)) * exp(((later + earlier) / 2 - end) / MEMORY_DAYS)
        for earlier, later in pairwise(ages)
    )
    time = TRUTH.at(end)[1] - TRUTH.at(begin)[1]
    assert time * exp(-end / MEMORY_DAYS) == pytest.approx(total, rel=1e-3)
