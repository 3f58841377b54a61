"""Whether a probability means what it says.

Each case is asked once, on a day drawn evenly from those on which it lasts, the day it begins included and those
beyond ASKED_WITHIN_DAYS left out: what is the chance that no link comes within the horizon? Asked on every day, a few
articles that have been dead for ten years would drown out everything else; asked as it begins, every article is alive.
Cases whose answer is not known by the end of the histories don't count.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from msgspec import Struct

from streams.backtest.cases import ACTIVE_WITHIN_DAYS, Cases, Days, outcome
from streams.domain.rhythm import Rhythm

BINS: Final = 10
ASKED_WITHIN_DAYS: Final = ACTIVE_WITHIN_DAYS
_SEED: Final = 20_260_822


class Bin(Struct, frozen=True):
    """Cases with predictions of a tenth of the scale: their mean, and the share in which no link came."""

    predicted: float
    observed: float
    cases: int


class Calibration(Struct, frozen=True):
    """Bins by prediction, empty ones left out; and the mean squared error, of it and of always saying the base rate."""

    bins: list[Bin]
    brier: float
    base_rate_brier: float
    cases: int


def days_asked(cases: Cases) -> Days:
    """Return the day on which each case is asked; the same for the same cases."""
    last = np.minimum(np.minimum(cases.next_day - 1, cases.end_day), cases.begin_day + ASKED_WITHIN_DAYS - 1)
    return np.random.default_rng(_SEED).integers(cases.begin_day, last, endpoint=True)


def calibration_of(cases: Cases, probability: Callable[[Rhythm, int], float]) -> Calibration | None:
    """Compare predicted with observed; None where no case has a known answer."""
    days = days_asked(cases)
    right, wrong = outcome(cases, days)
    known = np.flatnonzero(right | wrong)
    if not known.size:
        return None
    predicted = np.array([probability(cases.rhythms[number], int(days[number])) for number in known])
    observed = right[known].astype(float)
    base_rate = observed.mean()
    place = np.minimum((predicted * BINS).astype(int), BINS - 1)
    bins = [
        Bin(
            predicted=float(predicted[place == number].mean()),
            observed=float(observed[place == number].mean()),
            cases=int((place == number).sum()),
        )
        for number in range(BINS)
        if (place == number).any()
    ]
    return Calibration(
        bins=bins,
        brier=float(((predicted - observed) ** 2).mean()),
        base_rate_brier=float(base_rate * (1 - base_rate)),
        cases=int(known.size),
    )
