"""Assesses a probability of silence on past cases, beside the rule of a fixed gap."""

from collections.abc import Callable
from typing import NamedTuple

from flatline.backtest.calibration import Calibration, calibration_of
from flatline.backtest.cases import ACTIVE_WITHIN_DAYS, LINK_DAYS_MIN, Cases
from flatline.backtest.performance import (
    GAPS_DAYS,
    PROBABILITIES,
    Performance,
    alert_days_of_gaps,
    alert_days_of_score,
    performances,
)
from flatline.domain.state.rhythm import Rhythm
from flatline.errors import FlatlineError


class TooLittleHistoryError(FlatlineError):
    """There is nothing to test. The message says what is missing."""

    remedy = "Name files that hold more history: some years of links to articles that gain links often."


class Assessment(NamedTuple):
    """How each threshold of a probability does in these cases, and each fixed gap; and whether the probability is true.

    ``calibration`` is None where no case has a known end.
    """

    cases: int
    ours: list[Performance]
    fixed_gap: list[Performance]
    calibration: Calibration | None


def assess(cases: Cases, probability: Callable[[Rhythm, int], float]) -> Assessment:
    """Compare a probability with what came, and with the fixed gap. Raise TooLittleHistoryError without any case."""
    if not len(cases):
        raise TooLittleHistoryError(
            f"Too little history to test anything: no article gained links on {LINK_DAYS_MIN} days within "
            f"{ACTIVE_WITHIN_DAYS} days, imports left out."
        )
    return Assessment(
        cases=len(cases),
        ours=performances(cases, alert_days_of_score(cases, probability), PROBABILITIES),
        fixed_gap=performances(cases, alert_days_of_gaps(cases), GAPS_DAYS),
        calibration=calibration_of(cases, probability),
    )
