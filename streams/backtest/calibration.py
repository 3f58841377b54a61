"""Calibration of a probability: how often the silence lasted, by what was predicted.

Each case is asked on TIMES_ASKED days that spread evenly over those on which it lasts, the day it begins included and
those beyond ASKED_WITHIN_DAYS left out: what is the chance that no link comes within the horizon? Together they count
as one case, which is the same as asking on a day drawn at random, without the chance. Asked on every day alike, a few
articles that have been dead for ten years would drown out everything else; asked as it begins, every article is alive.
Answers that are not known by the end of the histories don't count.

This is what reproduces the published figures: the published form has Brier score 0.043 on the open half of the public
histories, and is calibrated there; fitting it anew on days drawn so leads close to its coefficients.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from flatline.backtest.cases import ACTIVE_WITHIN_DAYS, Cases, Days, outcome
from flatline.domain.state.rhythm import Rhythm

BINS: Final = 10
TIMES_ASKED: Final = 16
ASKED_WITHIN_DAYS: Final = ACTIVE_WITHIN_DAYS


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
    """Return the days on which cases are asked: cases along the first axis, TIMES_ASKED along the second."""
    end = np.minimum(np.minimum(cases.next_day, cases.end_day + 1), cases.begin_day + ASKED_WITHIN_DAYS)
    share = (np.arange(TIMES_ASKED) + 0.5) / TIMES_ASKED
    offsets = ((end - cases.begin_day)[:, None] * share).astype(np.int64)
    days: Days = cases.begin_day[:, None] + offsets
    return days


def calibration_of(cases: Cases, probability: Callable[[Rhythm, int], float]) -> Calibration | None:
    """Compare predicted with observed; None where no case has a known answer."""
    days = days_asked(cases)
    right, wrong = outcome(cases, days)
    known = right | wrong
    if not known.any():
        return None
    observed = right[known].astype(float)
    predicted = np.array([probability(cases.rhythms[case], int(days[case, time])) for case, time in np.argwhere(known)])
    base_rate = observed.mean()
    place = np.minimum((predicted * BINS).astype(int), BINS - 1)
    return Calibration(
        bins=[_bin(predicted[place == number], observed[place == number]) for number in np.unique(place)],
        brier=float(((predicted - observed) ** 2).mean()),
        base_rate_brier=float(base_rate * (1 - base_rate)),
        cases=round(known.sum() / TIMES_ASKED),
    )


def _bin(predicted: npt.NDArray[np.float64], observed: npt.NDArray[np.float64]) -> Bin:
    return Bin(float(predicted.mean()), float(observed.mean()), round(predicted.size / TIMES_ASKED))
