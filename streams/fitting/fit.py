"""A model from the cases of a team's own histories."""

import numpy as np

from flatline.backtest.cases import NEVER, Cases
from flatline.domain.learned.hazard import FittedOn, Model, Pauses
from flatline.errors import FlatlineError
from flatline.fitting.pauses import Figures, fit_pauses
from flatline.fitting.probability import fit_probability
from flatline.fitting.silence import base_rate_shift, fit_silence

# Below that, figures of one's own say less than those that are shipped.
CASES_MIN = 200
# More would only take longer.
CASES_MAX = 30_000
_SEED = 1


class TooFewCasesError(FlatlineError):
    """There is too little to fit a model on. The message says what is missing."""

    remedy = "Use the shipped model until there is more history."


def fit(cases: Cases, *, start: Model | None, fitted_on: FittedOn) -> Model:
    """Return the model that fits these cases best, pulled lightly towards ``start``. Raises TooFewCasesError.

    Its intercept is for the base rate that ``fitted_on`` names, if it names one.
    """
    ended = int((cases.next_day < NEVER).sum())
    if ended < CASES_MIN:
        raise TooFewCasesError(f"Too little history to fit a model: {ended} pauses ended, and {CASES_MIN} are needed.")
    cases = _sample(cases)
    pauses = Figures(cases)
    parameters = fit_pauses(pauses, start)
    active, scale, shape = parameters[0:4], parameters[4:7], parameters[7:9]
    power, *rest = (_round(number) for number in parameters[9:])
    shift = base_rate_shift(cases, fitted_on.base_rate)
    silence, probability = fit_silence(cases, parameters), fit_probability(cases, parameters)
    silence[0] += shift
    probability[0] += shift
    return Model(
        version=1,
        fitted_on=fitted_on,
        horizon_days=cases.horizon_days,
        active=tuple(map(_round, active)),
        active_ln_scale=tuple(map(_round, scale)),
        active_ln_shape=tuple(map(_round, shape)),
        active_ln_power=power,
        rest=Pauses(*rest),
        silence=tuple(map(_round, silence)),
        typical=tuple(map(_round, pauses.own.mean(axis=0))),
        probability=tuple(map(_round, probability)),
    )


def _sample(cases: Cases) -> Cases:
    """Return CASES_MAX of the cases, or all; drawn without regard to what they are, and always the same ones."""
    if len(cases) <= CASES_MAX:
        return cases
    drawn = np.sort(np.random.default_rng(_SEED).choice(len(cases), CASES_MAX, replace=False))
    return cases._replace(
        rhythms=[cases.rhythms[case] for case in drawn],
        begin_day=cases.begin_day[drawn],
        next_day=cases.next_day[drawn],
        link_days_a_year=cases.link_days_a_year[drawn],
    )


def _round(number: float) -> float:
    return round(float(number), 4)
