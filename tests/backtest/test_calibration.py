"""Whether the calibration finds what is true of cases with a known truth."""

from math import exp

import numpy as np
import pytest

from flatline.backtest.calibration import TIMES_ASKED, calibration_of, days_asked
from flatline.backtest.cases import HORIZON_DAYS, NEVER, Cases, cases_of
from flatline.domain.state.rhythm import Rhythm

RHYTHM = Rhythm.of(range(0, 50, 10))
assert RHYTHM is not None


def _cases(gaps: list[int], *, end_day: int = 100_000) -> Cases:
    next_days = [RHYTHM.last_day + gap if gap else NEVER for gap in gaps]
    begin = np.full(len(gaps), RHYTHM.last_day, dtype=np.int64)
    return Cases([RHYTHM] * len(gaps), begin, np.array(next_days, dtype=np.int64), end_day, HORIZON_DAYS)


def test_days_are_spread_over_the_case() -> None:
    """Each part of a case is asked about equally, from its first day, and never the day of the next link."""
    days = days_asked(_cases([1, 160, 0]))
    assert (days[0] == RHYTHM.last_day).all()
    assert list(days[1] - RHYTHM.last_day) == list(range(5, 160, 10))
    assert days[2].max() < RHYTHM.last_day + 730


def test_the_true_chance_is_calibrated() -> None:
    """Of silences that end by a known chance a day, predicting that chance is found to be true, in the mean."""
    daily = 0.005
    gaps = np.random.default_rng(1).geometric(daily, 20_000)
    cases = _cases([int(gap) for gap in gaps if gap <= 730])
    days = days_asked(cases)
    share = float(((cases.next_day[:, None] - days) > 180).mean())
    found = calibration_of(cases, lambda _rhythm, _day: share)
    assert found is not None
    assert [each.cases for each in found.bins] == [found.cases]
    assert found.bins[0].observed == pytest.approx(share)
    assert found.brier == pytest.approx(found.base_rate_brier)
    too_sure = calibration_of(cases, lambda _rhythm, _day: exp(-180 * daily / 10))
    assert too_sure is not None
    assert too_sure.brier > found.brier + 0.05


def test_open_answers_do_not_count() -> None:
    """Of a case that the end of the histories cuts off, only the days count after which 180 are known."""
    begins = RHYTHM.last_day
    cases = _cases([0] * TIMES_ASKED, end_day=begins + 319)
    found = calibration_of(cases, lambda _rhythm, day: 0.95 if day < begins + 140 else 0.05)
    assert found is not None
    assert [(each.cases, each.observed) for each in found.bins] == [(7, 1.0)]
    assert found.bins[0].predicted == pytest.approx(0.95)
    assert calibration_of(_cases([0], end_day=begins + 5), lambda _rhythm, _day: 0.5) is None


def test_bins_hold_their_tenth() -> None:
    """A prediction on the edge belongs to the upper bin, and certainty to the last one."""
    predictions = iter([0.0, 0.1, 0.15, 0.99, 1.0] * 1_000)
    found = calibration_of(cases_of([list(range(0, 300, 10))], end_day=5_000), lambda _rhythm, _day: next(predictions))
    assert found is not None
    assert len(found.bins) == 3
    assert 0.1 <= found.bins[1].predicted < 0.2
    assert found.bins[2].predicted > 0.9
