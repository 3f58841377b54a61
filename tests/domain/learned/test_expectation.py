"""Expected links: right on average where nothing changes, and never more for fewer."""

import random
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.learned.curve import PRIOR
from flatline.domain.learned.expectation import Baseline, Expectation, expect, shortfall
from flatline.domain.policy.thresholds import Thresholds

NOW = 20_000
THRESHOLDS = Thresholds()

histories = st.dictionaries(st.integers(NOW - 4_000, NOW), st.integers(1, 5), max_size=40).map(
    lambda days: dict(sorted(days.items()))
)


def _expect(days: dict[int, int], *, published_day: int | None = None, links: float = 1.0) -> Expectation | None:
    return expect(days, published_day=published_day, watched_day=0, now_days=NOW, baseline=Baseline(PRIOR, links))


def every(gap: int, *, since: int, until: int = 1) -> dict[int, int]:
    """Return one link at each of regular gaps; both ends as ages in days."""
    return {NOW - age: 1 for age in range(since, until - 1, -gap)}


def drawn(rng: random.Random, age: int, rate: float, *, half_life: float | None) -> dict[int, int]:
    """Return links at random, at a constant rate or at one that fades."""
    days = {NOW - age: 1}
    for past in range(1, age):
        now = rate if half_life is None else rate * exp(-past / half_life)
        if rng.random() < now:
            days[NOW - age + past] = 1
    return days


def followers(rng: random.Random, articles: int, links: int) -> list[dict[int, int]]:
    """Return articles of several ages whose links follow the prior curve."""
    drawn_days = []
    for _ in range(articles):
        age = rng.randrange(150, 900)
        days = [NOW - age]
        for _ in range(links):
            share = rng.random()
            past = next(day for day in range(1, 6_000) if PRIOR.share(day + 1) >= share)
            days.append(NOW - age + past)
        drawn_days.append({day: days.count(day) for day in sorted(set(days)) if day < NOW})
    return drawn_days


def totals(articles: list[dict[int, int]], links: float) -> tuple[float, int]:
    """Return the links expected and gained in 90 days."""
    windows = [e.windows[-1] for days in articles if (e := _expect(days, links=links))]
    return sum(window.expected for window in windows), sum(window.gained for window in windows)


def test_articles_that_gain_at_a_constant_rate_gain_what_is_expected() -> None:
    """Evergreens of several rates and ages, in all, within a tenth."""
    rng = random.Random(1)
    articles = [drawn(rng, rng.randrange(400, 3_000), rng.uniform(0.02, 0.3), half_life=None) for _ in range(150)]
    expected, gained = totals(articles, links=50)
    assert expected == pytest.approx(gained, rel=0.1)


def test_articles_that_follow_the_curve_gain_what_is_expected() -> None:
    """Articles with few links left gain few; what an evergreen would gain isn't asked of them."""
    expected, gained = totals(followers(random.Random(2), 250, 40), links=40)
    assert expected == pytest.approx(gained, rel=0.2)


def test_the_two_ways_of_life_are_told_apart() -> None:
    """A constant rate and a fast fade, each by its own links."""
    steady, faded = _expect(every(20, since=1_500)), _expect(drawn(random.Random(3), 1_000, 0.9, half_life=40))
    assert steady is not None
    assert faded is not None
    assert steady.evergreen > 0.95
    assert faded.evergreen < 0.05


@pytest.mark.parametrize(
    ("days", "watched_days", "short_days", "why"),
    [
        (every(5, since=800), 800, None, "a link every five days, as ever"),
        (every(5, since=800, until=90), 800, 90, "none for 90 days where one came every five"),
        (every(2, since=800, until=28), 800, 28, "none for 28 days: the least probable stretch is told"),
        (every(2, since=800, until=90), 60, 28, "90 days are too long a stretch, watched for 60"),
        (every(5, since=800, until=90), 20, None, "it fell silent before we watched"),
        (every(60, since=800, until=90), 800, None, "none for 90 days where one came every sixty"),
        ({NOW - 40: 1}, 800, None, "a single link promises nothing"),
    ],
)
def test_shortfall(days: dict[int, int], watched_days: int, short_days: int | None, why: str) -> None:
    """What is short, over which days, with a case for and against it."""
    expectation = _expect(days)
    assert expectation is not None
    found = shortfall(expectation, chance=THRESHOLDS.shortfall_chance, watched_days=watched_days)
    assert (found and found[0]) == short_days, why


def test_age_runs_from_publication_where_it_is_registered() -> None:
    """Links that come long after publication come late on the curve; a publication after the first link is none."""
    late = _expect({NOW - 100: 1}, published_day=NOW - 1_000)
    early = _expect({NOW - 100: 1})
    unbelieved = _expect({NOW - 100: 1}, published_day=NOW - 50)
    assert late is not None
    assert early is not None
    assert (late.age_days, early.age_days) == (1_000, 100)
    assert unbelieved == early


def test_any_date_of_publication_is_borne() -> None:
    """A register may hold anything: the first of January of the year 1 is no error, and no younger than 16 years."""
    ancient = _expect({NOW - 100: 1}, published_day=-719_162)
    assert ancient is not None
    assert ancient.age_days == 5_940


def test_an_article_whose_first_days_nobody_saw_teaches_nothing() -> None:
    """Published years before it was watched or linked: its early links are missing, not absent."""
    unseen = expect({NOW - 10: 1}, published_day=NOW - 900, watched_day=NOW - 10, now_days=NOW, baseline=Baseline())
    seen = expect({NOW - 10: 1}, published_day=NOW - 900, watched_day=NOW - 900, now_days=NOW, baseline=Baseline())
    assert unseen is not None
    assert seen is not None
    assert (unseen.links_by_bin, unseen.passed) == (None, None)
    assert seen.links_by_bin is not None


@given(histories)
def test_expectations_are_never_negative_and_windows_nest(days: dict[int, int]) -> None:
    """Longer windows hold at least as much of what came."""
    expectation = _expect(days)
    if expectation is None:
        assert not days
        return
    assert all(window.expected >= 0 for window in expectation.windows)
    gained = [window.gained for window in expectation.windows]
    assert gained == sorted(gained)


@given(histories, st.integers(2, 5))
def test_more_links_on_the_same_days_never_lower_what_is_expected(days: dict[int, int], times: int) -> None:
    """The more an article gained, the more is asked of it."""
    few, many = _expect(days), _expect({day: count * times for day, count in days.items()})
    if few is not None and many is not None:
        pairs = zip(few.windows, many.windows, strict=True)
        assert all(less.expected <= more.expected + 1e-12 for less, more in pairs)
