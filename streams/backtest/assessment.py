"""A probability put to the test, beside the fixed gap."""

from collections.abc import Callable

from msgspec import Struct

from streams.backtest.calibration import Bin, calibration_of
from streams.backtest.cases import Cases
from streams.backtest.policies import (
    GAPS_DAYS,
    PROBABILITIES,
    Row,
    alert_days_of_gaps,
    alert_days_of_score,
    fastest,
    performances,
)
from streams.domain.rhythm import Rhythm


class TooLittleHistoryError(Exception):
    """The histories hold no case whose end is known. The message says what a case is."""


class Assessment(Struct, frozen=True):
    """What `flatline backtest --json` says of a probability. ``fixed_gap`` has days for thresholds."""

    precision_delay: list[Row]
    fixed_gap: list[Row]
    calibration: list[Bin]
    brier: float
    base_rate_brier: float
    cases: int


def assess(cases: Cases, probability: Callable[[Rhythm, int], float]) -> Assessment:
    """Compare a probability with what came, and with the fixed gap. Raise TooLittleHistoryError without any case."""
    calibration = calibration_of(cases, probability) if len(cases) else None
    if calibration is None:
        raise TooLittleHistoryError(
            "Too little history to test anything: no article has five link days within two years, and what came in the "
            "180 days after them."
        )
    return Assessment(
        precision_delay=fastest(performances(cases, alert_days_of_score(cases, probability), PROBABILITIES)),
        fixed_gap=fastest(performances(cases, alert_days_of_gaps(cases), GAPS_DAYS)),
        calibration=calibration.bins,
        brier=calibration.brier,
        base_rate_brier=calibration.base_rate_brier,
        cases=len(cases),
    )
