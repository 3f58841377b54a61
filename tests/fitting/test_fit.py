"""Fitting: pauses drawn from a known model, and the public histories where they lie."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from flatline.backtest.assessment import assess
from flatline.backtest.cases import Cases, cases_of
from flatline.backtest.histories import Histories
from flatline.backtest.performance import fastest
from flatline.domain.learned.hazard import FittedOn, Hazard, Model, Outlook, figures, load_model
from flatline.domain.state.rhythm import Rhythm
from flatline.domain.time import day_of
from flatline.fitting.fit import TooFewCasesError, fit
from flatline.fitting.pauses import Figures, log_survival, most_due_day, parameters_of
from flatline_connectors.files.lines import LineFile

OPEN_HALF = Path(__file__).parents[3] / "shared" / "data" / "open.ndjson.zst"
FITTED_ON = FittedOn("simulated", articles=0, cases=0, until="2026-01-01")
END_DAY = 20_000
SHIPPED = load_model()


def simulated(articles: int, *, seed: int) -> Cases:
    """Return cases of articles whose every pause is drawn from the shipped model's mixture."""
    chance = Random(seed)
    return cases_of((_life(chance) for _ in range(articles)), end_day=END_DAY)


def _life(chance: Random) -> list[int]:
    days = [END_DAY - chance.randrange(500, 3_000)]
    for _ in range(4):
        days.append(days[-1] + chance.randrange(1, 60))
    while len(days) < 60:
        rhythm = Rhythm.of(days)
        assert rhythm is not None
        outlook, wanted = Outlook(SHIPPED, figures(rhythm)), chance.random()
        low, high = 0, 1
        while np.exp(outlook.log_survival(high)) > wanted:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if np.exp(outlook.log_survival(middle)) > wanted else (low, middle)
        if days[-1] + high > END_DAY:
            break
        days.append(days[-1] + high)
    return days


@pytest.fixture(scope="module")
def cases() -> Cases:
    """Return enough of them to find the truth."""
    return simulated(400, seed=1)


@pytest.fixture(scope="module")
def fitted(cases: Cases) -> Model:
    """Return what is fitted to them, from nothing."""
    return fit(cases, start=None, fitted_on=FITTED_ON)


def _log_likelihood(model: Model, cases: Cases) -> float:
    """Return the mean of the log-likelihood of the pauses, one after the other."""
    total = 0.0
    for rhythm, begin, next_day in zip(cases.rhythms, cases.begin_day, cases.next_day, strict=True):
        outlook, gap = Outlook(model, figures(rhythm)), int(next_day - begin)
        if next_day <= cases.end_day:
            total += np.log(np.exp(outlook.log_survival(gap - 1)) - np.exp(outlook.log_survival(gap)))
        else:
            total += outlook.log_survival(int(cases.end_day - begin))
    return total / len(cases)


def test_columns_and_numbers_agree(cases: Cases) -> None:
    """What is fitted in columns is what the hazard evaluates article by article."""
    parameters, own = parameters_of(SHIPPED), Figures(cases).own[:50]
    for gap in (1, 10, 200):
        column = log_survival(parameters, own, np.full(len(own), float(gap)))
        assert column == pytest.approx([Outlook(SHIPPED, row).log_survival(gap) for row in own.tolist()])
    peaks = most_due_day(parameters, own)
    for row, peak in zip(own.tolist(), peaks, strict=True):
        assert Outlook(SHIPPED, row).score_logit(0) == pytest.approx(
            Outlook(SHIPPED, row).score_logit(int(peak)) - (SHIPPED.silence[2] * np.log1p(int(peak))), abs=1e-6
        )


def test_it_explains_what_was_drawn_as_well_as_the_truth(cases: Cases, fitted: Model) -> None:
    """Nothing is more likely than the most likely model: not even the one that the pauses were drawn from."""
    assert _log_likelihood(fitted, cases) > _log_likelihood(SHIPPED, cases) - 0.001


def test_it_says_the_same_of_others_as_the_truth(fitted: Model) -> None:
    """Of pauses that it has not seen, too."""
    others = simulated(100, seed=2)
    assert _log_likelihood(fitted, others) == pytest.approx(_log_likelihood(SHIPPED, others), abs=0.02)


@pytest.mark.long
def test_its_probability_means_what_it_says(cases: Cases, fitted: Model) -> None:
    """On each day of the pauses, about as many go on as it says; and so it is for pauses that it has not seen."""
    for those in (cases, simulated(200, seed=5)):
        calibration = assess(those, Hazard(fitted)).calibration
        assert calibration is not None
        assert calibration.mean_error < 0.04
        for each in calibration.by_gap:
            assert each.looks < 200 or each.observed == pytest.approx(each.said, abs=0.1)


@pytest.mark.long
def test_another_base_rate_moves_the_intercept_alone(cases: Cases, fitted: Model) -> None:
    """Where silence is rarer than in these histories, it is said to be."""
    rarer = fit(cases, start=None, fitted_on=FittedOn("simulated", 0, 0, "2026-01-01", base_rate=0.01))
    assert rarer.silence[0] < fitted.silence[0]
    assert rarer.silence[1:] == fitted.silence[1:]
    assert rarer.probability[0] < fitted.probability[0]
    assert rarer.probability[1:] == fitted.probability[1:]
    assert rarer.active == fitted.active


def test_little_history_leans_on_the_shipped_model() -> None:
    """A team with a few hundred pauses gets something nearer to the shipped model than from nothing."""
    few = simulated(40, seed=3)
    leaning, alone = (fit(few, start=start, fitted_on=FITTED_ON) for start in (SHIPPED, None))

    def distance(model: Model) -> float:
        return float(np.abs(parameters_of(model) - parameters_of(SHIPPED)).sum())

    assert distance(leaning) < distance(alone)


def test_too_little_history_is_said_to_be() -> None:
    """Before that the shipped model is better, and the message says so."""
    with pytest.raises(TooFewCasesError, match="8 pauses ended, and 200 are needed") as raised:
        fit(simulated(3, seed=4), start=None, fitted_on=FITTED_ON)
    assert "shipped model" in raised.value.remedy


@pytest.mark.long
@pytest.mark.skipif(not OPEN_HALF.exists(), reason="the public histories are not on this machine")
def test_what_is_fitted_on_some_articles_holds_for_others() -> None:
    """Fitted on one half of the articles it beats the fixed gap on the other, and its probability is true there."""
    histories = Histories()
    histories.read_links(OPEN_HALF.name, LineFile(OPEN_HALF), recorded_ms=1_800_000_000_000)
    halves: tuple[list[list[int]], list[list[int]]] = ([], [])
    for number, days in enumerate(days for each in histories if len(days := each.link_days()) > 4):
        halves[number % 2].append(days)
    known, other = (cases_of(half, end_day=day_of(histories.end_ms)) for half in halves)
    found = assess(other, Hazard(fit(known, start=None, fitted_on=FITTED_ON)))
    ours, fixed_gap = fastest(found.ours)[1:5], fastest(found.fixed_gap)[1:5]
    ratios = [mine.mean_delay_days / gap.mean_delay_days for mine, gap in zip(ours, fixed_gap, strict=True)]
    assert np.mean(ratios) < 0.95
    assert found.calibration is not None
    assert found.calibration.brier < 0.156
    assert found.calibration.mean_error <= 0.04
    for each in found.calibration.bins:
        assert each.looks < 200 or each.observed == pytest.approx(each.said, abs=0.07)
