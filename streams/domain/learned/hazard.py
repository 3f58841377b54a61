"""How probable it is that an article gains no link for a while: a mixture of two kinds of pauses.

After each link day an article is either *active*, and the next link comes at about the pace of those before, or it
*rests*: then the next one comes when it comes, at a pace that is the same for all articles. Both kinds of pauses have
a Burr XII distribution, S(t) = (1 + (t / scale) ** shape) ** -power, whose tail is heavy as that of real pauses is.
How probable rest is, and the pace of an active article, follow from four figures of its rhythm:

    logit P(active) = linear in ln(link days), mean of ln(gap), ln(0.2 + link days of late)
    ln(active scale) = linear in mean of ln(gap), ln(0.2 + link days of late)
    ln(active shape) = linear in the standard deviation of ln(gap)

*Link days of late* is the count that `Rhythm` discounts with 90 days, as the pause begins.

Two figures come of it. The *probability of silence* is what people read: P(no link in the next H days | the pause has
lasted so long), S(gap + H) / S(gap), put right by a logistic form of it, of the pause and of the rhythm. The *silence
score* is what thresholds apply to. It is a logistic form of the chance of no link within NEAR_DAYS and of the length of
the pause: it ranks pauses by how soon an alert is right, and it is no probability.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import exp, expm1, log, log1p
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from flatline.domain.formatting import count, every, figure, figured
from flatline.domain.state.rhythm import Rhythm
from flatline.errors import FlatlineError

NEAR_DAYS: Final = 30
HARDLY_LOGIT: Final = 0.1  # moves a probability by two points and a half at most
SHIPPED_MODEL: Final = Path(__file__).parent / "model.json"

_LOG_MAX: Final = 700.0  # beyond, exp overflows
_PAUSES_REMEMBERED: Final = 2  # of an article: after any link, and after one that matters
# Where a chance is as good as certain: beyond, its logit would run out of digits.
_LOG_CHANCE_MAX: Final = -1e-12


Numbers = tuple[float, ...]


def _of_length(length: int) -> Meta:
    return Meta(min_length=length, max_length=length)


class FittedOn(Struct, frozen=True):
    """What a model was fitted on."""

    description: str
    articles: int
    cases: int
    until: str  # the day on which these histories end
    base_rate: float | None = None  # of silence among all pauses, where these histories were not taken to be typical


class Pauses(Struct, frozen=True):
    """The logarithms of the parameters of a Burr XII distribution of days."""

    ln_scale: float
    ln_shape: float
    ln_power: float


class Model(Struct, frozen=True, forbid_unknown_fields=True):
    """The figures of the mixture; each list has an intercept, then a factor for each figure of the rhythm in turn."""

    version: Literal[1]
    fitted_on: FittedOn
    horizon_days: int
    active: Annotated[Numbers, _of_length(4)]  # ln(link days), mean of ln(gap), ln(0.2 + link days of late)
    active_ln_scale: Annotated[Numbers, _of_length(3)]  # mean of ln(gap), ln(0.2 + link days of late)
    active_ln_shape: Annotated[Numbers, _of_length(2)]  # standard deviation of ln(gap)
    active_ln_power: float
    rest: Pauses
    silence: Annotated[Numbers, _of_length(3)]  # the score: logit of no link in NEAR_DAYS, ln(1 + days of the pause)
    typical: Annotated[Numbers, _of_length(4)]  # means of the four figures, in the order of `figures`
    # The probability: logit of no link within the horizon, ln(1 + days of the pause), ln(0.2 + link days of late), the
    # product of these two, standard deviation of ln(gap). As it stands: what the mixture says.
    probability: Annotated[Numbers, _of_length(6)] = (0.0, 1.0, 0.0, 0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        """Raise ValueError where silence could grow less probable as it goes on."""
        if self.rest.ln_shape > 0:
            raise ValueError(f"rest.ln_shape is {self.rest.ln_shape}: it must not be above 0")
        if min(self.silence[1:]) < 0:
            raise ValueError(f"silence is {self.silence}: its factors must not be below 0")
        if self.probability[1] < 0:
            raise ValueError(f"probability is {self.probability}: its first factor must not be below 0")


class ModelError(FlatlineError):
    """A model file can't be used. The message says why."""

    remedy = "`flatline model fit` writes a model; without one in the policy the shipped model is used."


def load_model(path: Path = SHIPPED_MODEL) -> Model:
    """Read a model file. Raises ModelError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Model)
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError(f"{path} is no model that can be used: {error}.") from None


def figures(rhythm: Rhythm) -> tuple[float, float, float, float]:
    """Return ln(link days), mean of ln(gap), ln(0.2 + link days of late), and standard deviation of ln(gap)."""
    return (
        log(rhythm.link_days),
        rhythm.mean_log_gap,
        log(0.2 + rhythm.short_count_at_last_day),
        rhythm.sd_log_gap,
    )


class Influence(NamedTuple):
    """How much a fact moves the probability: in its logit, against a typical article's."""

    fact: str
    logit: float

    @property
    def speaks(self) -> str:
        """For what it speaks, in words."""
        if abs(self.logit) < HARDLY_LOGIT:
            return "hardly matters"
        return "speaks for silence" if self.logit > 0 else "speaks against silence"


class Hazard:
    """What a model says of rhythms."""

    def __init__(self, model: Model | None = None) -> None:
        self.model = model or load_model()
        self.horizon_days = self.model.horizon_days
        self._latest: list[_Pause] = []

    def probability(self, rhythm: Rhythm, day: int) -> float:
        """Return P(no link day in the ``horizon_days`` after ``day`` | none since the last), from it on."""
        return _share(self._pause(rhythm).own.probability_logit(day - rhythm.last_day))

    def score(self, rhythm: Rhythm, day: int) -> float:
        """Return the silence score, from 0 to 1, for a day at or after the last link day.

        It never falls as ``day`` goes on without a link, and a link day never raises it.
        """
        return self._pause(rhythm).score(day)

    def first_day_at(self, rhythm: Rhythm, score: float, *, until_day: int) -> int:
        """Return the first day on which the score is reached; ``until_day`` if that is not before."""
        return self._pause(rhythm).first_day_at(score, until_day=until_day)

    @property
    def typical_probability(self) -> float:
        """That of a typical article on the day of a link."""
        return _share(Outlook(self.model, self.model.typical).probability_logit(0))

    def influences(self, rhythm: Rhythm, day: int) -> list[Influence]:
        """Return what moves the probability most, first: each fact against the same article with a typical one."""
        own, typical, gap_days = figures(rhythm), self.model.typical, day - rhythm.last_day
        outlook = self._pause(rhythm).own
        logit = outlook.probability_logit(gap_days)
        found = [
            Influence(
                f"no link for {count(gap_days, 'day')}" if gap_days else "a link today",
                logit - outlook.probability_logit(0),
            )
        ]
        for place, fact in enumerate(_facts(own, typical)):
            changed = (*own[:place], typical[place], *own[place + 1 :])
            found.append(Influence(fact, logit - Outlook(self.model, changed).probability_logit(gap_days)))
        return sorted(found, key=lambda influence: -abs(influence.logit))

    def _pause(self, rhythm: Rhythm) -> "_Pause":
        """Return the pause after a rhythm. The latest are remembered: each is asked about several days in turn."""
        for known in self._latest:
            if known.rhythm is rhythm:
                return known
        pause = _Pause(self.model, rhythm)
        self._latest = [pause, *self._latest[: _PAUSES_REMEMBERED - 1]]
        return pause


class _Pause:
    """The pause after the last link day of a rhythm.

    A link can make a rhythm look less regular or rarer than before. What it looked like without that link is a limit
    of the score: one more link is no sign of silence.
    """

    __slots__ = ("_first_days", "_outlooks", "_scores", "own", "rhythm")

    def __init__(self, model: Model, rhythm: Rhythm) -> None:
        self.rhythm = rhythm
        self.own = Outlook(model, figures(rhythm))
        self._outlooks = [(rhythm.last_day, self.own)]
        if rhythm.before is not None:
            self._outlooks.append((rhythm.before.last_day, Outlook(model, figures(rhythm.before))))
        self._scores: dict[int, float] = {}
        self._first_days: dict[float, int] = {}

    def score(self, day: int) -> float:
        """Return the silence score on a day."""
        score = self._scores.get(day)
        if score is None:
            score = min([_share(outlook.score_logit(day - last_day)) for last_day, outlook in self._outlooks])
            self._scores[day] = score
        return score

    def first_day_at(self, score: float, *, until_day: int) -> int:
        """Return the first day on which the score is reached; ``until_day`` if that is not before."""
        known = self._first_days.get(score)
        if known is not None:
            return min(known, until_day)
        day = self.rhythm.last_day
        for last_day, outlook in self._outlooks:
            day = _first_day_of(outlook, last_day, score, from_day=day, until_day=until_day)
        if day < until_day:
            self._first_days[score] = day
        return day


def _first_day_of(outlook: "Outlook", last_day: int, score: float, *, from_day: int, until_day: int) -> int:
    """Return the first day from ``from_day`` on which an outlook reaches a score, by bisection."""
    low, high, middle = from_day, until_day, from_day  # that of the other outlook, so often the one
    while low < high:
        if _share(outlook.score_logit(middle - last_day)) >= score:
            high = middle
        else:
            low = middle + 1
        middle = (low + high) // 2
    return low


def _facts(own: Sequence[float], typical: Sequence[float]) -> Sequence[str]:
    """Return what the figures of a rhythm say, in words, in the order of `figures`."""
    (days, gap, late, spread), (usual_days, usual_gap, usual_late, usual_spread) = own, typical
    pace = "more regularly" if spread < usual_spread else "less regularly"
    return (
        f"links on {count(round(exp(days)), 'day')} so far (a typical article: {exp(usual_days):.0f})",
        f"usually a link {every(exp(gap))} (a typical article: {every(exp(usual_gap))})",
        (
            f"links on about {figured(exp(late) - 0.2, 'day')} in the months before the pause (a typical article: "
            f"{figure(exp(usual_late) - 0.2)})"
        ),
        f"its links come {pace} than those of a typical article",
    )


def _share(logit: float) -> float:
    return 1 / (1 + exp(-logit))


def _logit_of_log(log_chance: float) -> float:
    """Return the logit of a chance that is given as its logarithm."""
    log_chance = min(log_chance, _LOG_CHANCE_MAX)
    return log_chance - log(-expm1(log_chance))


class Outlook:
    """What a model expects of the pause after a link day, given the figures of the rhythm on that day."""

    __slots__ = ("_active", "_ln_late", "_model", "_rest_survival", "_sd_log_gap", "_share")

    def __init__(self, model: Model, own: Sequence[float]) -> None:
        ln_link_days, mean_log_gap, ln_late, sd_log_gap = own
        a, a1, a2, a3 = model.active
        b, b1, b2 = model.active_ln_scale
        c, c1 = model.active_ln_shape
        self._share = _share(a + a1 * ln_link_days + a2 * mean_log_gap + a3 * ln_late)
        self._active = _Burr(Pauses(b + b1 * mean_log_gap + b2 * ln_late, c + c1 * sd_log_gap, model.active_ln_power))
        self._rest_survival = _rest_survival(model.rest)
        self._model = model
        self._ln_late, self._sd_log_gap = ln_late, sd_log_gap

    def probability_logit(self, gap_days: int) -> float:
        """Return the logit of the probability that no link comes in the horizon after a pause of so many days."""
        intercept, of_mixture, of_gap, of_late, of_both, of_spread = self._model.probability
        longer = self.log_survival(gap_days + self._model.horizon_days) - self.log_survival(gap_days)
        ln_gap = log1p(gap_days)
        put_right = intercept + of_gap * ln_gap + (of_late + of_both * ln_gap) * self._ln_late
        return put_right + of_spread * self._sd_log_gap + of_mixture * _logit_of_log(longer)

    def score_logit(self, gap_days: int) -> float:
        """Return the logit of the silence score after a pause of so many days.

        Until the day on which the next link is most due, its absence tells nothing: the chance of one soon is that of
        that day. From then on every day without it makes the next one less likely.
        """
        intercept, of_near, of_gap = self._model.silence
        from_day = max(gap_days, self._active.most_due_day)
        near = self.log_survival(from_day + NEAR_DAYS) - self.log_survival(from_day)
        return intercept + of_near * _logit_of_log(near) + of_gap * log1p(gap_days)

    def log_survival(self, days: float) -> float:
        """Return ln P(the pause lasts longer than ``days``)."""
        share = self._share
        return log(share * self._active.survival(days) + (1 - share) * self._rest_survival(days))


class _Burr:
    """A Burr XII distribution."""

    __slots__ = ("_ln_scale", "_power", "_shape", "most_due_day")

    def __init__(self, pauses: Pauses) -> None:
        self._ln_scale, self._shape, self._power = pauses.ln_scale, exp(pauses.ln_shape), exp(pauses.ln_power)
        # Where the rate, power * shape * z / t / (1 + z) with z = (t / scale) ** shape, is highest: at z = shape - 1.
        self.most_due_day = exp(self._ln_scale + log(self._shape - 1) / self._shape) if self._shape > 1 else 0.0

    def survival(self, days: float) -> float:
        """Return P(longer than ``days``)."""
        if days == 0:
            return 1.0
        at = min(self._shape * (log(days) - self._ln_scale), _LOG_MAX)
        return exp(-self._power * log1p(exp(at)))


@lru_cache(8)
def _rest_survival(rest: Pauses) -> Callable[[float], float]:
    """Return P(a pause lasts longer) by days, for articles at rest: the same for all, so it is remembered."""
    return lru_cache(8192)(_Burr(rest).survival)
