"""The mixture of `flatline.domain.learned.hazard`, fitted to how long pauses lasted, by penalised maximum likelihood.

A pause of known length g counts with P(g - 1 < length <= g), as link days are whole days; one that goes on at the end
of the histories counts with P(length > so far). So no pause is left out, and none is cut to a yes or no.
"""

from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_expit

from flatline.backtest.cases import Cases, Column
from flatline.domain.learned.hazard import Model, figures

# A model is pulled towards the one it starts from as if so many pauses spoke for that.
WEIGHT_OF_START: Final = 5
# In `parameters_of`: where the intercept of each linear form stands, and of which figures the factors after it are.
_FORMS: Final = ((0, (0, 1, 2)), (4, (1, 2)), (7, (3,)))
# A model that starts from nothing is pulled towards no influence at all, as lightly.
NEUTRAL: Final = np.array([0.5, 0, 0, 0, 2.5, 0, 0, 0, 0, 0, 5, 0, -0.5])
# Of the parameters in the search: keep numbers finite, and the shape of rest at most 1.
_BOUNDS: Final = [(-12.0, 12.0)] * 11 + [(-12.0, 0.0)] + [(-12.0, 12.0)]


class Figures:
    """The figures of the rhythms at which pauses began, as columns, and how long these lasted."""

    def __init__(self, cases: Cases) -> None:
        self.own = np.array([figures(rhythm) for rhythm in cases.rhythms])
        self.is_over = cases.next_day <= cases.end_day
        self.days = (np.where(self.is_over, cases.next_day, cases.end_day) - cases.begin_day).astype(float)
        known = self.days > 0  # of the others nothing is known yet
        self.own, self.is_over, self.days = self.own[known], self.is_over[known], self.days[known]


def fit_pauses(pauses: Figures, start: Model | None) -> Column:
    """Return the parameters, as `parameters_of` lists them; ``start`` is the model to start from."""
    centre, spread = pauses.own.mean(axis=0), pauses.own.std(axis=0) + 1e-9
    standard = (pauses.own - centre) / spread
    origin = NEUTRAL if start is None else _standardised(parameters_of(start), centre, spread)
    weight = WEIGHT_OF_START / len(pauses.days)
    before = np.maximum(pauses.days - 1, 0)

    def loss(parameters: Column) -> float:
        longer_before = log_survival(parameters, standard, before)
        longer = log_survival(parameters, standard, pauses.days)
        ended = longer_before + np.log(-np.expm1(np.minimum(longer - longer_before, -1e-12)))
        likelihood = np.where(pauses.is_over, ended, longer).mean()
        return float(weight * ((parameters - origin) ** 2).sum() - likelihood)

    found = minimize(loss, origin, method="L-BFGS-B", bounds=_BOUNDS, options={"maxiter": 500, "maxfun": 20_000})
    return _in_own_units(found.x, centre, spread)


def log_survival(parameters: Column, own: Column, days: Column) -> Column:
    """Return ln P(the pause lasts longer than ``days``), as `Outlook.log_survival` does for one."""
    link_days, mean_log, late, _ = own.T
    a, a1, a2, a3, *_, power, rest_scale, rest_shape, rest_power = parameters
    active = a + a1 * link_days + a2 * mean_log + a3 * late
    of_active = _log_burr(days, *_active_pace(parameters, own), power)
    of_rest = _log_burr(days, rest_scale, rest_shape, rest_power)
    result: Column = np.logaddexp(log_expit(active) + of_active, log_expit(-active) + of_rest)
    return result


def most_due_day(parameters: Column, own: Column) -> Column:
    """Return when the rate of an active article is highest, as `Outlook` has it."""
    ln_scale, ln_shape = _active_pace(parameters, own)
    shape = np.exp(ln_shape)
    peak = np.exp(ln_scale + np.log(np.maximum(shape - 1, 1e-300)) / shape)
    result: Column = np.where(shape > 1, peak, 0.0)
    return result


def _active_pace(parameters: Column, own: Column) -> tuple[Column, Column]:
    """Return the logarithms of scale and shape."""
    _, mean_log, late, sd_log = own.T
    b, b1, b2, c, c1 = parameters[4:9]
    return b + b1 * mean_log + b2 * late, c + c1 * sd_log


def _log_burr(days: Column, ln_scale: Column | float, ln_shape: Column | float, ln_power: float) -> Column:
    with np.errstate(divide="ignore"):  # ln 0 is -inf, and survival 1
        at = np.exp(ln_shape) * (np.log(days) - ln_scale)
    result: Column = -np.exp(ln_power) * np.logaddexp(0, at)
    return result


def parameters_of(model: Model) -> Column:
    """Return the parameters of a model's mixture in one row."""
    rest = model.rest
    return np.array(
        [
            *model.active,
            *model.active_ln_scale,
            *model.active_ln_shape,
            model.active_ln_power,
            rest.ln_scale,
            rest.ln_shape,
            rest.ln_power,
        ]
    )


def _standardised(parameters: Column, centre: Column, spread: Column) -> Column:
    """Return the parameters for figures less their centre, by their spread."""
    result = parameters.copy()
    for intercept, of in _FORMS:
        factors = slice(intercept + 1, intercept + 1 + len(of))
        result[intercept] += parameters[factors] @ centre[list(of)]
        result[factors] *= spread[list(of)]
    return result


def _in_own_units(parameters: Column, centre: Column, spread: Column) -> Column:
    """Undo `_standardised`."""
    return _standardised(parameters, -centre / spread, 1 / spread)
