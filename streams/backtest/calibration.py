"""Calibration of a probability: what it says on fixed days of each pause, against what came.

A person who reads a verdict looks at *this* day of *this* pause. So each pause is looked at once on each of GAPS_DAYS
that it reaches, and what was said is compared with what came, day by day of the pause and by the pace of the article.
(Looks on random days of a pause weigh early days, on which every article seems alive: a figure can fit them and still
be far too low for whoever reads it in a long pause.)
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from flatline.backtest.cases import Cases, Column, outcome
from flatline.domain.state.rhythm import Rhythm

GAPS_DAYS: Final = (0, 7, 14, 30, 60, 90, 120, 180, 270, 365)
RATES: Final = (0, 6, 20, 52)
"""Where the classes of articles begin, in link days in the year up to the pause."""
BINS: Final = 10


class Looks(NamedTuple):
    """Columns with an entry a look whose answer is known: the number of its case, the day of the pause, what came."""

    case: npt.NDArray[np.int64]
    gap_days: npt.NDArray[np.int64]
    is_silent: npt.NDArray[np.bool_]


class GapCalibration(Struct, frozen=True):
    """What was said on a day of the pauses of articles of a pace, and the share in which no link came."""

    gap_days: int
    rate: str  # link days in the year up to the pause: "<6", "6-20", "20-52", ">=52"
    said: float
    observed: float
    looks: int


class Bin(Struct, frozen=True):
    """Looks at which a tenth of the scale was said: the mean of that, and the share in which no link came."""

    said: float
    observed: float
    looks: int


class Calibration(Struct, frozen=True):
    """What was said against what came; empty cells are left out.

    ``brier``           the mean squared error of what was said
    ``base_rate_brier`` the same for always saying the share of all looks
    ``mean_error``      of the cells by gap and rate, weighted by looks
    """

    by_gap: list[GapCalibration]
    bins: list[Bin]
    brier: float
    base_rate_brier: float
    mean_error: float
    looks: int


def looks_at(cases: Cases) -> Looks:
    """Return the looks at these pauses whose answer is known by the end of the histories."""
    days = cases.begin_day[:, None] + np.array(GAPS_DAYS)
    right, wrong = outcome(cases, days)
    case, number = np.nonzero(right | wrong)
    return Looks(case, np.array(GAPS_DAYS)[number], right[case, number])


def calibration_of(cases: Cases, probability: Callable[[Rhythm, int], float]) -> Calibration | None:
    """Compare what is said with what came; None where no look has a known answer."""
    looks = looks_at(cases)
    if not len(looks.case):
        return None
    said = np.array(
        [
            probability(cases.rhythms[case], int(cases.begin_day[case]) + int(gap))
            for case, gap in zip(looks.case, looks.gap_days, strict=True)
        ]
    )
    observed = looks.is_silent.astype(float)
    by_gap = list(_by_gap(cases, looks, said, observed))
    tenth = np.minimum((said * BINS).astype(int), BINS - 1)
    base_rate = observed.mean()
    return Calibration(
        by_gap=by_gap,
        bins=[Bin(*_means(said, observed, tenth == number)) for number in np.unique(tenth)],
        brier=float(((said - observed) ** 2).mean()),
        base_rate_brier=float(base_rate * (1 - base_rate)),
        mean_error=sum(abs(each.said - each.observed) * each.looks for each in by_gap) / len(said),
        looks=len(said),
    )


def _by_gap(cases: Cases, looks: Looks, said: Column, observed: Column) -> Iterator[GapCalibration]:
    rate = np.searchsorted(RATES, cases.link_days_a_year[looks.case], "right") - 1
    for number, name in enumerate(_rate_names()):
        for gap_days in GAPS_DAYS:
            chosen = (rate == number) & (looks.gap_days == gap_days)
            if chosen.any():
                yield GapCalibration(gap_days, name, *_means(said, observed, chosen))


def _rate_names() -> list[str]:
    inner = [f"{low}-{high}" for low, high in pairwise(RATES[1:])]
    return [f"<{RATES[1]}", *inner, f">={RATES[-1]}"]


def _means(said: Column, observed: Column, chosen: npt.NDArray[np.bool_]) -> tuple[float, float, int]:
    return float(said[chosen].mean()), float(observed[chosen].mean()), int(chosen.sum())
