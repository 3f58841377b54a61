"""The reason of a verdict: a sentence with figures, written for marketing teams."""

from typing import Final

from flatline.domain.formatting import count, every, figure, percent
from flatline.domain.judgement.evidence import Circumstances, Evidence
from flatline.domain.judgement.states import quiet_before_link, shortfall_of
from flatline.domain.time import DAY_MS, to_datetime
from flatline.schema.verdict import State

_OPENINGS: Final = {
    State.SILENT: "It has probably stopped gaining links.",
    State.COOLING: "It may have stopped gaining links.",
    State.REVIVED: "It gains links again after a silence.",
    State.GROWING: "It gains links faster than it used to.",
    State.STEADY: "It gains links as it used to.",
}

_HEALTHY: Final = {State.BURSTING, State.GROWING, State.STEADY}
"""States of which the probability of a silence is no news, so the sentence leaves it out."""

_QUIET: Final = {State.SILENT, State.COOLING}
"""States of which the time without a link is the news."""

_PROBABLY_FROM: Final = 0.5

MADE_GOOD: Final = "Most of the links that it lost at the same time came back."


def reason_of(state: State, evidence: Evidence, at: Circumstances) -> str:
    """Return why an article is in a state. That of a dormant one has no figures that move from day to day."""
    rhythm = evidence.rhythm
    if rhythm is None:
        return "No link with its own date is known."
    last = f"{to_datetime(rhythm.last_day * DAY_MS):%Y-%m-%d}"
    if state is State.DORMANT:
        return f"It has gained no link since {last}."
    gap_days = at.today - rhythm.last_day
    history = f"It has gained links on {count(rhythm.link_days, 'day')}"
    gap = _gap(gap_days, last, is_news=at.probability is not None and state in _QUIET)
    if at.probability is None:
        return f"{gap}. {history}; {at.thresholds.link_days_min} are needed for a verdict."
    said = f"{_opening(state, evidence, at)} {gap}. {history}, typically {every(rhythm.usual_gap_days)}."
    if state in _HEALTHY:
        return said
    return f"{said} Probability of no link in the next {at.hazard.horizon_days} days: {percent(at.probability)}."


def _gap(days: int, last: str, *, is_news: bool) -> str:
    """Return how long ago the last link came, in words that fit what else is said of the article."""
    if days == 0:
        return "It gained a link today"
    if is_news:
        return f"No link for {count(days, 'day')} (since {last})"
    return f"The last link came {count(days, 'day')} ago ({last})"


def held_back(evidence: Evidence) -> str:
    """Return why the verdict does not get worse at the moment."""
    visibility = evidence.visibility
    unseen_days = round(visibility.unseen_days) if visibility.unseen_days >= 1 else 0
    verb = "does" if unseen_days == 1 else "do"
    unseen = f"{count(unseen_days, 'day')} of its silence {verb} not count" if unseen_days else ""
    return (
        f"The verdict is held back because {visibility.reason or 'its sources report late'}{unseen and f': {unseen}'}."
    )


def _opening(state: State, evidence: Evidence, at: Circumstances) -> str:
    at_least = "at least " if evidence.is_floor else ""
    if state is State.BURSTING:
        return f"It gained {at_least}{count(evidence.gained_last_7_days, 'link')} in a week, far more than usual."
    if state is State.COOLING and (short := shortfall_of(evidence, at)):
        days, window = short
        gained = f"{at_least}{count(window.gained, 'link')}"
        return f"It gained {gained} in {days} days; {figure(window.expected)} were expected."
    if state is State.SILENT and at.probability is not None and at.probability < _PROBABLY_FROM:
        return "It has gained no link for unusually long."
    before = evidence.rhythm.before if evidence.rhythm else None
    if state is State.STEADY and evidence.rhythm and before and quiet_before_link(evidence.rhythm, evidence, at):
        gap = count(evidence.rhythm.last_day - before.last_day, "day")
        return f"It gained a link again, the first in {gap}. Most such links stay alone."
    season, score = evidence.season, at.score or 0.0
    if season and at.seen_day <= season.until_day and score >= at.thresholds.cooling_score and state is State.STEADY:
        return (
            f"It pauses as every year, and links are expected again in {to_datetime(season.return_day * DAY_MS):%B %Y}."
        )
    return _OPENINGS[state]
