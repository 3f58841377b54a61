"""From the chance of no link soon to the probability of silence: a logistic regression on pauses that were looked at.

Each pause is looked at as `flatline.backtest.calibration` does, on days that spread over it, and counts once.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import logit

from flatline.backtest.calibration import days_asked
from flatline.backtest.cases import Cases, outcome
from flatline.domain.learned.hazard import NEAR_DAYS, figures
from flatline.fitting.pauses import Column, log_survival, most_due_day

_START = np.array([-5.0, 1.0, 0.5])


def fit_silence(cases: Cases, parameters: Column, *, base_rate: float | None = None) -> Column:
    """Return the intercept and the two factors of `Model.silence`; neither factor is below 0.

    ``base_rate`` is in how many of all pauses no link comes, where the model is to be used, if these are not typical:
    the intercept then moves by the difference of the logits (prior correction; King and Zeng, 2001, section 4.1).
    """
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
    if base_rate is not None:
        result[0] += logit(base_rate) - logit(1 - came.mean())
    return result
