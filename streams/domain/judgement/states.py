"""In which state an article is: each rule is a named predicate, and `state_of` reads as prose, worst first.

States do not flap. One that is entered at a threshold is left at another (`Thresholds.left_at`), bursting and
growing last at least some days, and what was said of a silence is taken back only by something new about the links.
"""

from math import ceil, exp, log
from typing import Final

from flatline.domain.judgement.evidence import Circumstances, Evidence
from flatline.domain.learned.expectation import Window, shortfall
from flatline.domain.state.rhythm import Rhythm
from flatline.domain.time import day_of
from flatline.schema.verdict import State

# How bad a state is. Only getting worse needs visibility.
SEVERITY: Final = {State.COOLING: 1, State.SILENT: 2, State.DORMANT: 3}
_LIVELY: Final = {State.BURSTING, State.GROWING}
_YEAR_DAYS: Final = 365
_WEEK_DAYS: Final = 7


def state_of(evidence: Evidence, at: Circumstances) -> State:
    """Return the state of an article on ``at.seen_day``."""
    rhythm = evidence.rhythm
    if rhythm is None or at.score is None:
        return State.DORMANT if rhythm and is_long_quiet(rhythm, at) else State.NEW
    if is_quiet(rhythm, at):
        return State.DORMANT if is_no_news(rhythm, evidence, at) else State.SILENT
    if is_doubtful(rhythm, at):
        return State.COOLING
    if is_revived(rhythm, evidence, at):
        return State.REVIVED
    if is_short(rhythm, evidence, at):
        return State.COOLING
    return _lively_state(rhythm, evidence, at)


def _lively_state(rhythm: Rhythm, evidence: Evidence, at: Circumstances) -> State:
    if is_bursting(rhythm, evidence, at):
        return State.BURSTING
    return State.GROWING if is_growing(rhythm, at) else State.STEADY


def is_judgeable(rhythm: Rhythm | None, at: Circumstances) -> bool:
    """Whether there is enough history to say anything; a guess is worse than nothing."""
    return rhythm is not None and rhythm.link_days >= at.thresholds.link_days_min


def is_long_quiet(rhythm: Rhythm, at: Circumstances) -> bool:
    """Whether an article with too little history to judge has been without a link for so long that it is no news."""
    return at.seen_day - rhythm.last_day >= at.thresholds.unjudged_dormant_after_days


def is_quiet(rhythm: Rhythm, at: Circumstances) -> bool:
    """Whether the silence score is so high, after a gap that is long for this article, that we say it stopped.

    Long for this article: ``thresholds.silent_gaps`` of its mean gaps. One that gains a link every 500 days is without
    one for the next 180 days most of the time, and no news is in that. (On the open histories this halves the alerts on
    articles with mean gaps over 250 days, of which a third gained a link within two years, and leaves those with mean
    gaps under 120 days as they are.) Nor is a pause news that comes every year, until links are overdue.
    """
    unusual_day, limit = _quiet_limits(rhythm, at)
    return at.seen_day >= unusual_day and at.score is not None and at.score >= limit


def quiet_since_day(rhythm: Rhythm, at: Circumstances, *, until_day: int) -> int:
    """Return the first day on which it is quiet, ``until_day`` if that is not before."""
    unusual_day, limit = _quiet_limits(rhythm, at)
    if unusual_day >= until_day or at.hazard.score(rhythm, until_day - 1) < limit:
        return until_day
    return max(unusual_day, at.hazard.first_day_at(rhythm, limit, until_day=until_day))


def _quiet_limits(rhythm: Rhythm, at: Circumstances) -> tuple[int, float]:
    """Return from which day on a gap is long for this article, and the score from which on that is a silence."""
    thresholds = at.thresholds
    was_said = _was(at, State.SILENT, State.DORMANT)
    limit = thresholds.left_at(thresholds.silent_score) if was_said else thresholds.silent_score
    unusual_day = max(rhythm.last_day + ceil(thresholds.silent_gaps * rhythm.mean_gap_days), at.season_until_day + 1)
    return unusual_day, limit


def is_no_news(rhythm: Rhythm, evidence: Evidence, at: Circumstances) -> bool:
    """Whether a silence is old, or began before anybody could have told it to us.

    That is: before we watched, or while we knew too little of the article to judge it.
    """
    since_day = silent_since_day(rhythm, at)
    began_before_watch = since_day <= day_of(evidence.watched_since_ms)
    was_never_seen_alive = _was(at, State.NEW, State.DORMANT)
    return began_before_watch or was_never_seen_alive or at.today - since_day >= at.thresholds.dormant_after_days


def silent_since_day(rhythm: Rhythm, at: Circumstances) -> int:
    """Return the day on which a silence that is there was first there; one that was said keeps its day."""
    if at.previous is not None and _was(at, State.SILENT, State.DORMANT):
        return day_of(at.previous.since_ms)
    return quiet_since_day(rhythm, at, until_day=at.seen_day)


def is_doubtful(rhythm: Rhythm, at: Circumstances) -> bool:
    """Whether the gap is longer than the mean one and none of every year, and the score high enough for a doubt."""
    thresholds = at.thresholds
    was_said = _was(at, State.COOLING, State.SILENT)
    limit = thresholds.left_at(thresholds.cooling_score) if was_said else thresholds.cooling_score
    is_long = at.seen_day - rhythm.last_day > rhythm.mean_gap_days and at.seen_day > at.season_until_day
    return is_long and at.score is not None and at.score >= limit


def is_short(rhythm: Rhythm, evidence: Evidence, at: Circumstances) -> bool:
    """Whether so few links came lately that it is no chance: it still gains some, but not as it should.

    Not said on a day with a link, which is a sign of life, unless it was said before.
    """
    is_new_link = at.seen_day == rhythm.last_day and not _was(at, State.COOLING)
    return not is_new_link and shortfall_of(evidence, at) is not None


def shortfall_of(evidence: Evidence, at: Circumstances) -> tuple[int, Window] | None:
    """Return in how many days too few links came, and how many; None if not, or while nothing is to be asked.

    What is expected knows nothing of days that nobody saw, nor of seasons, so nothing is asked of an article meanwhile.
    """
    if evidence.expectation is None or at.seen_day < at.today or at.seen_day <= at.season_until_day:
        return None
    thresholds = at.thresholds
    chance = thresholds.shortfall_relief_chance if _was(at, State.COOLING) else thresholds.shortfall_chance
    watched_days = at.today - day_of(evidence.watched_since_ms)
    return shortfall(evidence.expectation, chance=chance, watched_days=watched_days)


def is_revived(rhythm: Rhythm, evidence: Evidence, at: Circumstances) -> bool:
    """Whether links came on two days after a silence that was said, the second within the horizon after the first.

    One link is not enough: most stay alone (of those after a silence, 74 % on the open histories had no successor
    within 180 days). Both came under watch, and the second lately, so no back-fill revives. A link from before the
    silence was said, and reported since, only takes the silence back. Revived is said once, and stays news for some
    weeks.
    """
    previous, thresholds, before = at.previous, at.thresholds, rhythm.before
    if previous is not None and previous.state is State.REVIVED:
        return at.today - day_of(previous.since_ms) < thresholds.revived_for_days
    quiet_day = _quiet_since_day(at)
    return (
        quiet_day is not None
        and before is not None
        and before.last_day > max(quiet_day, day_of(evidence.watched_since_ms))
        and rhythm.last_day - before.last_day <= at.hazard.horizon_days
        and at.today - rhythm.last_day < thresholds.revived_for_days
    )


def quiet_before_link(rhythm: Rhythm, evidence: Evidence, at: Circumstances) -> int | None:
    """Return since which day it was said to be silent, if one link alone has come after that; else None."""
    quiet_day, before = _quiet_since_day(at), rhythm.before
    if quiet_day is None:
        return None
    since_day = max(quiet_day, day_of(evidence.watched_since_ms))
    return quiet_day if rhythm.last_day > since_day and (before is None or before.last_day <= since_day) else None


def _quiet_since_day(at: Circumstances) -> int | None:
    """Return since which day it is, or was until its last link, said to be silent; None if neither."""
    previous = at.previous
    if previous is None:
        return None
    if previous.state in {State.SILENT, State.DORMANT}:
        # With fewer it was dormant for want of a history.
        return day_of(previous.since_ms) if previous.link_days >= at.thresholds.link_days_min else None
    return day_of(previous.quiet_since_ms) if previous.quiet_since_ms else None


def is_bursting(rhythm: Rhythm, evidence: Evidence, at: Circumstances) -> bool:
    """Whether this week brought so many links as hardly any week does at the rate of the year before.

    Links often come several a day, so not links are counted but days' worth of them. Those that a source kept for us
    while it was away belong to the days that it was away, too.
    """
    thresholds, came = at.thresholds, evidence.gained_last_7_days
    if _must_stay(State.BURSTING, at):
        return True
    # By the last link day and not by today: a burst begins with a link, and not by the passing of time.
    watched_days = rhythm.last_day - day_of(evidence.watched_since_ms)
    before_days = min(_YEAR_DAYS, rhythm.last_day + 1 - rhythm.first_day) - _WEEK_DAYS
    if (
        came < thresholds.bursting_links_min
        or watched_days < _WEEK_DAYS
        or before_days < thresholds.bursting_history_days
    ):
        return False
    before, late_days = max(1, evidence.gained_last_365_days - came), evidence.visibility.late_days
    expected = before / max(before_days - late_days, thresholds.bursting_history_days) * (_WEEK_DAYS + late_days)
    limit = thresholds.bursting_left_at if _was(at, State.BURSTING) else thresholds.bursting_probability
    together = evidence.links_a_link_day
    return came > expected and upper_tail(came / together, expected / together) <= limit


def upper_tail(came: float, expected: float) -> float:
    """Return a bound above P(X >= came) of a Poisson X, for came > expected: Chernoff's, exp(k - m - k·ln(k/m))."""
    return exp(came - expected - came * log(came / expected))


def is_growing(rhythm: Rhythm, at: Circumstances) -> bool:
    """Whether links come faster than they used to."""
    if _must_stay(State.GROWING, at):
        return True
    thresholds, count, ratio = at.thresholds, rhythm.short_count(at.seen_day), rhythm.growth(at.seen_day)
    if _was(at, State.GROWING):
        return ratio >= thresholds.left_at(thresholds.growing_ratio)
    return count >= thresholds.growing_count_min and ratio >= thresholds.growing_ratio


def is_taken_back_by_time(state: State, evidence: Evidence, at: Circumstances) -> bool:
    """Whether a silence or a doubt that was said would be taken back though nothing is known that was not known then.

    That is what a source does to an article when it turns out to have been away.
    """
    previous = at.previous
    return (
        previous is not None
        and SEVERITY.get(state, 0) < SEVERITY.get(previous.state, 0)
        and evidence.rhythm is not None
        and previous.link_days == evidence.rhythm.link_days
    )


def _was(at: Circumstances, *states: State) -> bool:
    return at.previous is not None and at.previous.state in states


def _must_stay(state: State, at: Circumstances) -> bool:
    """Whether a lively state was entered so lately that it stays, whatever its rule says."""
    previous = at.previous
    return (
        previous is not None
        and previous.state is state
        and state in _LIVELY
        and at.today - day_of(previous.since_ms) < at.thresholds.lively_days_min
    )
