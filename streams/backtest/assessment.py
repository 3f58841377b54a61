"""Assesses a score of silence on past cases, beside the rule of a fixed gap, and the probability that is said."""

from typing import NamedTuple

from flatline.backtest.calibration import Calibration, calibration_of
from flatline.backtest.cases import ACTIVE_WITHIN_DAYS, LINK_DAYS_MIN, Cases
from flatline.backtest.performance import (
    GAPS_DAYS,
    SCORES,
    Performance,
    alert_days_of_gaps,
    alert_days_of_score,
    performances,
)
from flatline.domain.learned.hazard import Hazard
from flatline.errors import FlatlineError


class TooLittleHistoryError(FlatlineError):
    """There is nothing to test. The message says what is missing."""

    remedy = "Name files that hold more history: some years of links to articles that gain links often."


class Assessment(NamedTuple):
    """How each threshold of a score does in these cases, and each fixed gap; and whether the probability is true.

    ``calibration`` is None where no look at a pause has a known answer.
    """

    cases: int
    ours: list[Performance]
    fixed_gap: list[Performance]
    calibration: Calibration | None


def assess(cases: Cases, hazard: Hazard) -> Assessment:
    """Compare a model with what came, and with the fixed gap. Raise TooLittleHistoryError without any case."""
    if not len(cases):
        raise TooLittleHistoryError(
            f"Too little history to test anything: no article gained links on {LINK_DAYS_MIN} days within "
            f"{ACTIVE_WITHIN_DAYS} days, imports left out."
        )
    return Assessment(
        cases=len(cases),
        ours=performances(cases, alert_days_of_score(cases, hazard.score), SCORES),
        fixed_gap=performances(cases, alert_days_of_gaps(cases), GAPS_DAYS),
        calibration=calibration_of(cases, hazard.probability),
    )
