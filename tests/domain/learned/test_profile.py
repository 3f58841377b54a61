"""How an article lives: facts and sentences."""

from math import sqrt
from statistics import fmean, pstdev

import pytest

from flatline.domain.learned.profile import profile_of
from flatline.schema.verdict import Life, Pace

TODAY = 20_000


def ages(*days: int) -> dict[int, int]:
    """Return one link at each of these ages in days, oldest first."""
    return {TODAY - age: 1 for age in sorted(days, reverse=True)}


@pytest.mark.parametrize(
    ("days", "pace", "life", "why"),
    [
        (ages(*range(0, 2_000, 40)), Pace.STEADY, Life.EVERGREEN, "a link every forty days for five years"),
        (ages(*range(900, 1_000, 4), 300), Pace.BURSTY, Life.SPIKE_AND_FADE, "all but one within a hundred days"),
        (ages(1_000, 800, 650, 600, 590, 100), Pace.RANDOM, Life.FADING, "most in its first half, not in one spike"),
        (ages(60, 50, 40, 30, 20, 10), Pace.STEADY, None, "too young"),
        (ages(2_000, 1_000), None, None, "two links say nothing"),
    ],
)
def test_pace_and_life(days: dict[int, int], pace: Pace | None, life: Life | None, why: str) -> None:
    """Each way to live, and where nothing can be said."""
    profile = profile_of(days, published_day=None, today=TODAY)
    assert profile is not None
    assert (profile.pace, profile.life) == (pace, life), why


def test_without_links_there_is_no_profile() -> None:
    """Nothing came, nothing is said."""
    assert profile_of({}, published_day=TODAY - 900, today=TODAY) is None


def test_burstiness_is_that_of_kim_and_jo() -> None:
    """Against the formula as DETECTION and the paper have it, on gaps of 1, 2, 50, 3, 1, 200."""
    days = ages(257, 256, 254, 204, 201, 200, 0)
    gaps = [1, 2, 50, 3, 1, 200]
    ratio, number = pstdev(gaps) / fmean(gaps), len(gaps)
    expected = (sqrt(number + 1) * ratio - sqrt(number - 1)) / ((sqrt(number + 1) - 2) * ratio + sqrt(number - 1))
    profile = profile_of(days, published_day=None, today=TODAY)
    assert profile is not None
    assert profile.burstiness == round(expected, 2)


def test_shares_count_from_publication_and_need_the_age() -> None:
    """A young article has no share of a year yet; a registered publication begins the count."""
    young = profile_of(ages(99, 20, 5), published_day=None, today=TODAY)
    published = profile_of(ages(99, 20, 5), published_day=TODAY - 400, today=TODAY)
    assert young is not None
    assert published is not None
    assert (young.share_in_90_days, young.share_in_365_days) == (0.67, None)
    assert (published.share_in_90_days, published.share_in_365_days) == (0, 0.33)


def test_sentences() -> None:
    """What a marketing person reads."""
    steady = profile_of(ages(*range(0, 2_000, 40)), published_day=None, today=TODAY)
    spike = profile_of(ages(*range(900, 1_000, 4), 300), published_day=None, today=TODAY)
    assert steady is not None
    assert spike is not None
    assert steady.reason == (
        "Evergreen: 50% of its links came in the second half of its 5 years, at regular intervals."
    )
    assert spike.reason == (
        "Spiked and faded: 88% of its links came in its first 90 days, in bursts with long gaps between them."
    )
