"""The probability of silence and its score: against a computation from the list of days, and for any history."""

import json
from collections.abc import Callable
from itertools import pairwise
from math import exp, isclose, log
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.learned.hazard import (
    NEAR_DAYS,
    SHIPPED_MODEL,
    Hazard,
    Influence,
    Model,
    ModelError,
    Outlook,
    figures,
    load_model,
)
from flatline.domain.state.rhythm import Rhythm

HAZARD = Hazard()
TODAY = 20_000

link_days = st.lists(st.integers(TODAY - 2_000, TODAY), min_size=1, max_size=60, unique=True)


def rhythm_of(days: list[int]) -> Rhythm:
    """Return the rhythm of these link days."""
    rhythm = Rhythm.of(days)
    assert rhythm is not None
    return rhythm


class Reference(NamedTuple):
    """Logits."""

    score: float
    probability: float


def reference(days: list[int], day: int) -> Reference:
    """Return the logits that the model's figures give, by the textbook's distribution and from the days themselves."""
    from scipy.stats import burr12  # takes a second to load, of every process that finds tests

    model = json.loads(SHIPPED_MODEL.read_bytes())
    days = sorted(days)
    logs = [log(later - earlier) for earlier, later in pairwise(days)][-10:]
    mean, spread = (fmean(logs), pstdev(logs)) if logs else (0, 0)
    late = log(0.2 + sum(exp((each - days[-1]) / 90) for each in days[1:]))
    a, b, c = model["active"], model["active_ln_scale"], model["active_ln_shape"]
    share = 1 / (1 + exp(-(a[0] + a[1] * log(len(days)) + a[2] * mean + a[3] * late)))
    shape, scale = exp(c[0] + c[1] * spread), exp(b[0] + b[1] * mean + b[2] * late)
    active = burr12(shape, exp(model["active_ln_power"]), scale=scale)
    rest = burr12(
        *(exp(model["rest"][name]) for name in ("ln_shape", "ln_power")), scale=exp(model["rest"]["ln_scale"])
    )

    def longer(gap: float) -> float:
        return float(share * active.sf(gap) + (1 - share) * rest.sf(gap))

    gap, late_days = day - days[-1], log(1 + day - days[-1])
    most_due = scale * (shape - 1) ** (1 / shape) if shape > 1 else 0
    chance = longer(max(gap, most_due) + NEAR_DAYS) / longer(max(gap, most_due))
    intercept, of_chance, of_gap = model["silence"]
    score = intercept + of_chance * log(chance / (1 - chance)) + of_gap * late_days
    put_right, horizon = model["probability"], longer(gap + model["horizon_days"]) / longer(gap)
    terms = (1, log(horizon / (1 - horizon)), late_days, late, late_days * late, spread)
    return Reference(score, sum(factor * term for factor, term in zip(put_right, terms, strict=True)))


@given(link_days, st.integers(0, 1_000))
def test_score_is_that_of_the_model(days: list[int], gap: int) -> None:
    """Carried forward from the summary, it is what the days give; and no more than without the last of them."""
    day = max(days) + gap
    expected = reference(days, day).score
    if len(days) > 1:
        expected = min(expected, reference(sorted(days)[:-1], day).score)
    assert isclose(HAZARD.score(rhythm_of(days), day), 1 / (1 + exp(-expected)), rel_tol=1e-6)


@given(link_days, st.integers(0, 1_000))
def test_probability_is_that_of_the_model(days: list[int], gap: int) -> None:
    """That of a pause that goes on for the horizon, given that it has lasted so long, put right."""
    day = max(days) + gap
    expected = reference(days, day).probability
    assert isclose(HAZARD.probability(rhythm_of(days), day), 1 / (1 + exp(-expected)), rel_tol=1e-6)


def test_a_model_without_a_correction_says_what_its_mixture_says() -> None:
    """A file from before the probability was fitted can still be used."""
    model = json.loads(SHIPPED_MODEL.read_bytes())
    del model["probability"]
    former = msgspec.convert(model, Model)
    rhythm = rhythm_of([TODAY - 30 * number for number in range(12)])
    outlook = Outlook(former, figures(rhythm))
    longer = exp(outlook.log_survival(90 + former.horizon_days) - outlook.log_survival(90))
    assert Hazard(former).probability(rhythm, TODAY + 90) == pytest.approx(longer)


@given(link_days, st.integers(0, 1_000), st.integers(1, 500))
def test_the_score_never_falls_without_a_link(days: list[int], gap: int, more: int) -> None:
    """A silence only ranks higher as it goes on: bisection for the first silent day rests on this."""
    rhythm, day = rhythm_of(days), max(days) + gap
    assert HAZARD.score(rhythm, day + more) >= HAZARD.score(rhythm, day)


@given(link_days, st.integers(1, 1_000))
def test_a_link_never_raises_the_score(days: list[int], gap: int) -> None:
    """One more link is no sign of silence."""
    day = max(days) + gap
    before = HAZARD.score(rhythm_of(days), day)
    assert HAZARD.score(rhythm_of([*days, day]), day) <= before


@given(link_days, st.floats(0.05, 0.9))
def test_first_day_at_is_the_first(days: list[int], score: float) -> None:
    """Bisection finds the first day that a walk over all days finds."""
    rhythm, until = rhythm_of(days), max(days) + 400
    walked = next((d for d in range(max(days), until) if HAZARD.score(rhythm, d) >= score), until)
    assert HAZARD.first_day_at(rhythm, score, until_day=until) == walked


@given(
    st.lists(link_days, min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1_000), st.sampled_from([0.3, 0.6, 0.8, None])), max_size=12),
)
def test_what_it_was_asked_before_makes_no_difference(
    days: list[list[int]], asked: list[tuple[int, int, float | None]]
) -> None:
    """It remembers what it found: whatever it was asked of which article, it says what one says that is asked first."""
    rhythms = [rhythm_of(each) for each in days]
    remembering = Hazard(HAZARD.model)
    for number, gap, score in asked:
        rhythm = rhythms[number % len(rhythms)]
        day, fresh = rhythm.last_day + gap, Hazard(HAZARD.model)
        if score is None:
            assert remembering.score(rhythm, day) == fresh.score(rhythm, day)
            assert remembering.probability(rhythm, day) == fresh.probability(rhythm, day)
        else:
            found = remembering.first_day_at(rhythm, score, until_day=day)
            assert found == fresh.first_day_at(rhythm, score, until_day=day)


@given(st.lists(st.integers(TODAY - 2_000, TODAY), min_size=2, max_size=60, unique=True))
def test_before_is_the_rhythm_without_the_last_day(days: list[int]) -> None:
    """What is summed up once for both is what a summary of the earlier days alone says."""
    days.sort()
    before, alone = rhythm_of(days).before, rhythm_of(days[:-1])
    assert before is not None
    assert before == pytest.approx(alone._replace(before=None))


@pytest.mark.parametrize("said", [HAZARD.score, HAZARD.probability])
def test_a_rare_gainer_has_time(said: Callable[[Rhythm, int], float]) -> None:
    """After 100 days a monthly gainer is in doubt; one that comes every half year is less."""
    monthly, half_yearly = (rhythm_of([TODAY - gap * number for number in range(12)]) for gap in (30, 180))
    assert said(monthly, TODAY + 100) > said(half_yearly, TODAY + 100)


def test_what_moves_it_most_comes_first() -> None:
    """After a long gap it is the gap; each influence is a phrase with a figure."""
    influences = HAZARD.influences(rhythm_of([TODAY - 30 * number for number in range(12)]), TODAY + 200)
    assert influences[0].fact == "no link for 200 days"
    assert influences[0].logit > 0
    assert [abs(each.logit) for each in influences] == sorted((abs(each.logit) for each in influences), reverse=True)


def test_the_shipped_model_says_what_it_was_fitted_on() -> None:
    """Nobody has to guess where its figures come from."""
    fitted_on = load_model().fitted_on
    assert "public" in fitted_on.description
    assert fitted_on.cases > 10_000
    assert fitted_on.until == "2026-08-22"


def _without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda model: model.pop(name)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_without("rest"), "`rest`"),
        (lambda model: model.update(active=[1, 2]), "`$.active`"),
        (lambda model: model.update(colour="red"), "`colour`"),
        (lambda model: model.update(version=2), "`$.version`"),
        (lambda model: model["rest"].update(ln_shape=0.5), "ln_shape"),
    ],
)
def test_a_model_that_can_not_be_used_is_refused(
    spoil: Callable[[dict[str, Any]], None], says: str, tmp_path: Path
) -> None:
    """The message names the file and what is wrong."""
    model = json.loads(SHIPPED_MODEL.read_bytes())
    spoil(model)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model))
    with pytest.raises(ModelError, match=r"model\.json") as refused:
        load_model(path)
    assert says in str(refused.value)


def test_a_model_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(ModelError, match=r"nowhere\.json"):
        load_model(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("logit", "words", "because"),
    [
        (0.5, "speaks for silence", "above 0 silence is more probable for it"),
        (-0.5, "speaks against silence", "below 0 it is less so"),
        (0.05, "hardly matters", "a point more or less"),
        (-0.05, "hardly matters", "the same the other way"),
    ],
)
def test_an_influence_says_for_what_it_speaks(logit: float, words: str, because: str) -> None:
    """The sign of an influence is said in words."""
    assert Influence("a fact", logit).speaks == words, because


def test_influences_are_facts_with_what_is_typical_beside_them() -> None:
    """A person reads what an article did, and what others do."""
    facts = {each.fact for each in HAZARD.influences(rhythm_of([TODAY - 30 * number for number in range(12)]), TODAY)}
    typical = HAZARD.model.typical
    assert f"links on 12 days so far (a typical article: {exp(typical[0]):.0f})" in facts
    assert f"usually a link every 30 days (a typical article: every {exp(typical[1]):.0f} days)" in facts
    assert "its links come more regularly than those of a typical article" in facts
