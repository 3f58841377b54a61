"""The probability of silence: what the mixture says of a pause, put right by a logistic regression on looks at pauses.

The looks are those of `flatline.backtest.calibration`, so the probability is fitted to what it is tested by: what a
person reads on a certain day of a pause.
"""

from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from flatline.backtest.calibration import looks_at
from flatline.backtest.cases import Cases, Column
from flatline.domain.learned.hazard import figures
from flatline.fitting.pauses import log_survival

# What the mixture says is held to be right as if so many looks spoke for each factor of it.
_WEIGHT_OF_MIXTURE: Final = 10


def fit_probability(cases: Cases, parameters: Column) -> Column:
    """Return `Model.probability`: an intercept and five factors, pulled lightly towards what the mixture says."""
    looks = looks_at(cases)
    gap_days = looks.gap_days.astype(float)
    own = np.array([figures(rhythm) for rhythm in cases.rhythms])[looks.case]
    longer = log_survival(parameters, own, gap_days + cases.horizon_days) - log_survival(parameters, own, gap_days)
    of_mixture = logit(np.exp(np.minimum(longer, -1e-12)))
    ln_gap, ln_late, sd_log_gap = np.log1p(gap_days), own[:, 2], own[:, 3]
    others = np.column_stack([ln_gap, ln_late, ln_gap * ln_late, sd_log_gap])
    centre, spread = others.mean(axis=0), others.std(axis=0) + 1e-9
    columns = np.column_stack([np.ones(len(own)), of_mixture, (others - centre) / spread])
    origin = np.array([0.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    weight = _WEIGHT_OF_MIXTURE / len(own)

    def loss(factors: Column) -> tuple[float, Column]:
        score, away = columns @ factors, factors - origin
        likelihood = np.logaddexp(0, np.where(looks.is_silent, -score, score)).mean()
        gradient: Column = columns.T @ (expit(score) - looks.is_silent) / len(own) + 2 * weight * away
        return float(likelihood + weight * away @ away), gradient

    bounds = [(None, None), (0, None), *[(None, None)] * len(centre)]
    found = minimize(loss, origin, jac=True, method="L-BFGS-B", bounds=bounds).x
    result: Column = np.concatenate([found[:2], found[2:] / spread])
    result[0] -= result[2:] @ centre
    return result
