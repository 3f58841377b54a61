"""Whether the calibration finds what is true of cases with a known truth."""

from math import exp

import numpy as np
import pytest

from flatline.backtest.calibration import GAPS_DAYS, calibration_of, looks_at
from flatline.backtest.cases import HORIZON_DAYS, NEVER, Cases, cases_of
from flatline.domain.state.rhythm import Rhythm

RHYTHM = Rhythm.of(range(0, 50, 10))
assert RHYTHM is not None
BEGIN = RHYTHM.last_day


def _cases(gaps: list[int], *, end_day: int = 100_000, link_days_a_year: int = 5) -> Cases:
    next_days = [BEGIN + gap if gap else NEVER for gap in gaps]
    columns = ([BEGIN] * len(gaps), next_days, [link_days_a_year] * len(gaps))
    begin_day, next_day, in_year = (np.array(column, dtype=np.int64) for column in columns)
    return Cases([RHYTHM] * len(gaps), begin_day, next_day, in_year, end_day, HORIZON_DAYS)


def test_a_pause_is_looked_at_on_each_day_that_it_reaches() -> None:
    """Never on the day of the next link, nor after it; what comes of the look is what came in the horizon."""
    looks = looks_at(_cases([61, 14, 0]))
    assert list(looks.gap_days[looks.case == 0]) == [0, 7, 14, 30, 60]
    assert not looks.is_silent[looks.case == 0].any()
    assert list(looks.gap_days[looks.case == 1]) == [0, 7]
    assert list(looks.gap_days[looks.case == 2]) == list(GAPS_DAYS)
    assert looks.is_silent[looks.case == 2].all()


def test_a_look_whose_answer_is_not_known_does_not_count() -> None:
    """A history that ends too early for the horizon says nothing, unless a link came."""
    ends = BEGIN + 30 + HORIZON_DAYS
    assert list(looks_at(_cases([0], end_day=ends)).gap_days) == [0, 7, 14, 30]
    assert list(looks_at(_cases([61], end_day=BEGIN + 61)).gap_days) == [0, 7, 14, 30, 60]
    assert calibration_of(_cases([0], end_day=BEGIN + 5), lambda _rhythm, _day: 0.5) is None


def test_the_true_chance_is_calibrated_on_every_day_of_the_pause() -> None:
    """Of pauses that end by a known chance a day, that chance is found true by gap; another one is found wrong."""
    daily = 0.005
    cases = _cases([int(gap) for gap in np.random.default_rng(1).geometric(daily, 20_000)])
    truth = (1 - daily) ** HORIZON_DAYS
    found = calibration_of(cases, lambda _rhythm, _day: truth)
    assert found is not None
    assert [each.gap_days for each in found.by_gap] == list(GAPS_DAYS)
    for each in found.by_gap:
        assert each.said == pytest.approx(truth)
        assert each.observed == pytest.approx(truth, abs=4 * (truth * (1 - truth) / each.looks) ** 0.5)
    assert found.mean_error < 0.01
    assert found.brier == pytest.approx(found.base_rate_brier, abs=0.001)
    too_sure = calibration_of(cases, lambda _rhythm, _day: exp(-HORIZON_DAYS * daily / 10))
    assert too_sure is not None
    assert too_sure.brier > found.brier + 0.05
    assert too_sure.mean_error > 0.4


def test_a_figure_that_is_true_at_random_days_only_is_found_wrong() -> None:
    """Said alike on each day of pauses that only grow more final, the mean over all is no truth about any day."""
    gaps = [3] * 900 + [0] * 100
    found = calibration_of(_cases(gaps), lambda _rhythm, _day: 0.1)
    assert found is not None
    assert found.by_gap[0].observed == pytest.approx(0.1)
    assert {each.observed for each in found.by_gap[1:]} == {1.0}
    assert found.mean_error == pytest.approx(0.9 * 900 / 1900)


@pytest.mark.parametrize(("in_year", "rate"), [(5, "<6"), (6, "6-20"), (20, "20-52"), (51, "20-52"), (52, ">=52")])
def test_articles_are_classed_by_their_pace(in_year: int, rate: str) -> None:
    """By link days in the year up to the pause."""
    found = calibration_of(_cases([0], link_days_a_year=in_year), lambda _rhythm, _day: 0.5)
    assert found is not None
    assert {each.rate for each in found.by_gap} == {rate}


def test_the_pace_is_that_of_the_year_before() -> None:
    """Counted from the days themselves, the day on which the pause begins included."""
    days = [*range(0, 400, 10), 800, 810, 820, 830, 840]
    cases = cases_of([days], end_day=5_000)
    for begin, in_year in zip(cases.begin_day.tolist(), cases.link_days_a_year.tolist(), strict=True):
        assert in_year == sum(begin - 365 < day <= begin for day in days)


def test_bins_hold_their_tenth() -> None:
    """What was said on the edge belongs to the upper bin, and certainty to the last one."""
    said = iter([0.0, 0.1, 0.15, 0.99, 1.0] * 1_000)
    found = calibration_of(cases_of([list(range(0, 300, 10))], end_day=5_000), lambda _rhythm, _day: next(said))
    assert found is not None
    assert len(found.bins) == 3
    assert 0.1 <= found.bins[1].said < 0.2
    assert found.bins[2].said > 0.9
    assert sum(each.looks for each in found.bins) == found.looks
