"""Tails of counts, against sums of the exact terms from nought."""

from math import comb, isclose

from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.learned.chance import CLUMPING_A_DAY, chances, variance_of


@given(st.integers(0, 400), st.integers(1, 60), st.floats(0.05, 5))
def test_tails_are_sums_of_the_terms(count: int, size: int, excess: float) -> None:
    """Both tails of a negative binomial of whole size."""
    success = 1 / (1 + excess)
    terms = [comb(k + size - 1, k) * success**size * (1 - success) ** k for k in range(count + 1)]
    few, many = chances(count, size * excess, size * excess * (1 + excess))
    assert isclose(few, sum(terms), rel_tol=1e-6, abs_tol=1e-9)
    assert isclose(many, 1 - sum(terms[:-1]), rel_tol=1e-6, abs_tol=1e-9)


@given(st.integers(0, 200), st.floats(0.01, 200))
def test_one_more_link_is_never_fewer(count: int, mean: float) -> None:
    """More links make "so few" likelier and "so many" less likely."""
    variance = variance_of(mean, 90)
    fewer, more = chances(count, mean, variance), chances(count + 1, mean, variance)
    assert fewer[0] <= more[0] + 1e-9
    assert more[1] <= fewer[1] + 1e-9


def test_nothing_expected_is_nothing_missed() -> None:
    """Without an expectation no count is too small, and any at all is too large."""
    assert chances(0, 0.0, 0.0) == (1.0, 1.0)
    assert chances(3, 0.0, 0.0) == (1.0, 0.0)


def test_longer_windows_hold_more_clumps() -> None:
    """Variance against mean grows with the window, as on real histories."""
    assert isclose(variance_of(1e-9, 70) / 1e-9, 1 + 70 * CLUMPING_A_DAY)
