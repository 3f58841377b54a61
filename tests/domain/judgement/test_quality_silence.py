"""Quality gone: histories of which the truth is known."""

import random

import pytest

from flatline.domain.judgement.evidence import Evidence
from flatline.domain.judgement.judgement import Judgement, judge
from flatline.domain.learned.hazard import Hazard
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.quality.link_value import LinkValue
from flatline.domain.state import link_traits
from flatline.domain.state.previous_verdict import PreviousVerdict
from flatline.domain.state.rhythm import Rhythm
from flatline.domain.time import DAY_MS
from flatline.domain.visibility.visibility import FULLY_VISIBLE, ArticleVisibility
from flatline.schema.verdict import FindingKind, State

TODAY = 20_000
THRESHOLDS = Thresholds()
HAZARD = Hazard()
AGAINST = "in a footer"
assert link_traits.placement(AGAINST.removeprefix("in a "))


def _judge(
    worthy_ages: list[int],
    thin_ages: list[int],
    *,
    today: int = TODAY,
    watched_age: int = 5_000,
    was_found: bool = False,
    visibility: ArticleVisibility = FULLY_VISIBLE,
) -> Judgement:
    """Judge an article with links that matter and thin links of these ages, in days before TODAY."""
    worthy = [TODAY - age for age in worthy_ages if TODAY - age <= today]
    thin = [TODAY - age for age in thin_ages if TODAY - age <= today]
    link_value = LinkValue(
        weighted=1.0,
        thin=len(thin),
        days=dict.fromkeys(sorted(worthy), 1),
        thin_days={(day, AGAINST): 1 for day in thin},
    )
    found = {FindingKind.QUALITY_GONE: (today - 10) * DAY_MS} if was_found else {}
    return judge(
        Evidence(Rhythm.of({*worthy, *thin}), (TODAY - watched_age) * DAY_MS, visibility, link_value=link_value),
        previous=PreviousVerdict(State.STEADY, 0, 0, found),
        now_ms=today * DAY_MS,
        thresholds=THRESHOLDS,
        hazard=HAZARD,
    )


def every(days: int, *, since: int, until: int = 0) -> list[int]:
    """Ages at regular gaps."""
    return list(range(until, since + 1, days))


WORTHY_ONCE = every(20, since=900, until=500)
THIN_NOW = every(7, since=500)


@pytest.mark.parametrize(
    ("worthy", "thin", "options", "is_found", "why"),
    [
        (WORTHY_ONCE, THIN_NOW, {}, True, "links came that mattered; now there are footers only"),
        (every(20, since=700), THIN_NOW, {}, False, "links that matter still come"),
        (WORTHY_ONCE, [], {}, False, "no links at all come: it is silent, and that is said"),
        (WORTHY_ONCE, every(7, since=500, until=450), {}, False, "the thin ones have stopped, too"),
        ([500, 540], THIN_NOW, {}, False, "two days are too little to say what is gone"),
        (every(20, since=900, until=300), every(7, since=300), {}, True, "43 thin ones in a row are no chance"),
        (every(20, since=900, until=300), every(29, since=300), {}, True, "nor are eleven where none was thin"),
        (
            every(20, since=900, until=80),
            [*every(1, since=900, until=81), *every(15, since=80)],
            {},
            False,
            "six are chance where nearly all are thin: the gap alone must say it",
        ),
        ([], THIN_NOW, {}, False, "it never had any that mattered"),
        (WORTHY_ONCE, [5, 30], {}, False, "two thin links are no stream"),
        (WORTHY_ONCE, [], {"was_found": True}, False, "and without any the finding ends"),
        (WORTHY_ONCE, THIN_NOW, {"watched_age": 20}, False, "it was so before we watched: no news"),
        (
            WORTHY_ONCE,
            THIN_NOW,
            {"visibility": ArticleVisibility(reason="x is stale", is_unseen=True)},
            False,
            "links that matter may be unseen",
        ),
        (
            WORTHY_ONCE,
            THIN_NOW,
            {"visibility": ArticleVisibility(reason="x is stale", is_unseen=True), "was_found": True},
            True,
            "what was said stays said",
        ),
        ([0, *WORTHY_ONCE], THIN_NOW, {"was_found": True}, False, "one that matters came today"),
    ],
)
def test_quality_gone(worthy: list[int], thin: list[int], options: dict[str, bool], is_found: bool, why: str) -> None:
    """It is found where somebody would say so."""
    assert (FindingKind.QUALITY_GONE in _judge(worthy, thin, **options).findings) == is_found, why  # type: ignore[arg-type]


def test_the_reason_has_the_figures() -> None:
    """A sentence says how many links came, since when none matters, and what is against them."""
    found = _judge(WORTHY_ONCE, THIN_NOW).findings[FindingKind.QUALITY_GONE]
    lately, since = "13 links in the last 90 days", "2023-05-23"
    assert found.reason == f"It gained {lately}, but none of high quality since {since}: 13 in a footer."


def test_it_does_not_flap() -> None:
    """Day by day over years, it begins once, after the links that matter ended, and never ends."""
    thin = every(9, since=1_000)
    was_found, begins = False, []
    for age in range(1_000, -1, -2):
        found = (
            FindingKind.QUALITY_GONE
            in _judge(every(20, since=1_400, until=900), thin, today=TODAY - age, was_found=was_found).findings
        )
        if found and not was_found:
            begins.append(age)
        assert found or not was_found, age
        was_found = found
    (begin,) = begins
    assert 300 < begin < 850, "some gaps of what was as regular as a clock are enough"


def _simulated(rate_per_day: float, begin: int, end: int, chance: random.Random) -> list[int]:
    """Return the ages of a Poisson process between two ages."""
    ages, at = [], float(begin)
    while (at := at - chance.expovariate(rate_per_day)) > end:
        ages.append(int(at))
    return sorted(set(ages))


@pytest.mark.parametrize("seed", range(20))
def test_simulated_portfolio(seed: int) -> None:
    """Of two articles alike but for the end of what matters, one is found within two years, the other never."""
    chance = random.Random(seed)
    rate = chance.uniform(0.03, 0.2)
    thin, before = _simulated(0.1, 1_500, 0, chance), _simulated(rate, 1_500, 730, chance)
    goes_on = _simulated(rate, 730, 0, chance)
    days = range(TODAY - 730, TODAY + 1, 10)
    assert not any(FindingKind.QUALITY_GONE in _judge([*before, *goes_on], thin, today=day).findings for day in days)
    assert any(FindingKind.QUALITY_GONE in _judge(before, thin, today=day).findings for day in days)
