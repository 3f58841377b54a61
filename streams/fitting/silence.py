"""From the chance of no link soon to the silence score: a logistic regression on pauses that were looked at.

Each pause is looked at on TIMES_ASKED days that spread evenly over it, the day it begins included and those beyond
ASKED_WITHIN_DAYS left out, and counts once, which is the same as a look on a day drawn at random, without the chance.
Looked at on every day alike, a few articles that have been dead for ten years would drown out everything else.
"""

from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import logit

from flatline.backtest.cases import ACTIVE_WITHIN_DAYS, Cases, Column, Days, outcome
from flatline.domain.learned.hazard import NEAR_DAYS, figures
from flatline.fitting.pauses import log_survival, most_due_day

TIMES_ASKED: Final = 16
ASKED_WITHIN_DAYS: Final = ACTIVE_WITHIN_DAYS

_START = np.array([-5.0, 1.0, 0.5])


def days_asked(cases: Cases) -> Days:
    """Return the days on which cases are asked: cases along the first axis, TIMES_ASKED along the second."""
    end = np.minimum(np.minimum(cases.next_day, cases.end_day + 1), cases.begin_day + ASKED_WITHIN_DAYS)
    share = (np.arange(TIMES_ASKED) + 0.5) / TIMES_ASKED
    offsets = ((end - cases.begin_day)[:, None] * share).astype(np.int64)
    days: Days = cases.begin_day[:, None] + offsets
    return days


def fit_silence(cases: Cases, parameters: Column) -> Column:
    """Return the intercept and the two factors of `Model.silence`; neither factor is below 0."""
    days = days_asked(cases)
    right, wrong = outcome(cases, days)
    case, time = np.nonzero(right | wrong)
    gap_days = (days[case, time] - cases.begin_day[case]).astype(float)
    own = np.array([figures(rhythm) for rhythm in cases.rhythms])[case]
    from_day = np.maximum(gap_days, most_due_day(parameters, own))
    near = log_survival(parameters, own, from_day + NEAR_DAYS) - log_survival(parameters, own, from_day)
    columns = np.stack([np.ones(len(case)), logit(np.exp(np.minimum(near, -1e-12))), np.log1p(gap_days)], axis=1)
    came = wrong[case, time]

    def loss(silence: Column) -> tuple[float, Column]:
        score = columns @ silence
        signed = np.where(came, score, -score)
        share = 1 / (1 + np.exp(-signed))
        gradient: Column = columns.T @ np.where(came, share, -share) / len(score)
        return float(np.logaddexp(0, signed).mean()), gradient

    found = minimize(loss, _START, jac=True, method="L-BFGS-B", bounds=[(None, None), (0, None), (0, None)])
    result: Column = found.x
    return result


def base_rate_shift(cases: Cases, base_rate: float | None) -> float:
    """Return by how much an intercept moves for histories that are not typical of those where the model is to be used.

    ``base_rate`` is in how many of all pauses, looked at on a random day, no link comes there; None: in as many as in
    these. It is the difference of the logits (prior correction; King and Zeng, 2001, section 4.1).
    """
    if base_rate is None:
        return 0.0
    right, wrong = outcome(cases, days_asked(cases))
    return float(logit(base_rate) - logit(right.sum() / (right | wrong).sum()))
