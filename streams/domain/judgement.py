"""The verdict on one article: a pure function of what was accumulated, what can be seen, and the time."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from msgspec import Struct

from streams.domain.event_time import to_datetime
from streams.domain.hazard import Hazard
from streams.domain.policy import Policy
from streams.domain.quality import gone as quality_gone
from streams.domain.quality.worth import Worth
from streams.domain.rhythm import DAY_MS, Rhythm, day_of
from streams.schema.verdict import FindingKind, State

# How bad a state is. Only getting worse needs sight.
_SEVERITY: Final = {State.COOLING: 1, State.SILENT: 2, State.DORMANT: 3}


class Evidence(NamedTuple):
    """All that a judgement of one article rests on.

    ``watched_since_ms`` is when its first event reached us: a silence that began before is no news. While
    ``blind_because`` names why its links could not be seen, the verdict does not get worse than the one before.
    """

    rhythm: Rhythm | None
    watched_since_ms: int
    blind_because: str | None = None
    worth: Worth | None = None


class Found(NamedTuple):
    """Something beside the state: since when, and why."""

    since_ms: int
    reason: str


class Judgement(NamedTuple):
    """A state, since when, how sure (None where nothing can be said), and why; and what else was found."""

    state: State
    since_ms: int
    score: float | None
    suppressed: bool
    reason: str
    findings: Mapping[FindingKind, Found]


class Standing(Struct, frozen=True, array_like=True, gc=False):
    """The last verdict, as far as the next one needs it. ``digest`` tells whether a verdict says anything new."""

    state: State
    since_ms: int
    digest: int
    found: dict[FindingKind, int] = {}  # kind -> since when, in ms


class Circumstances(NamedTuple):
    """What a rule for a finding goes by. ``was_found``: it was already said, and may be harder to take back."""

    today: int
    policy: Policy
    hazard: Hazard
    was_found: bool


# Returns the reason where the rule applies.
FindingRule = Callable[[Evidence, Circumstances], str | None]


def _quality_gone(evidence: Evidence, circumstances: Circumstances) -> str | None:
    today, policy, hazard, was_found = circumstances
    if evidence.worth is None or evidence.rhythm is None or (evidence.blind_because and not was_found):
        return None
    return quality_gone.reason(
        evidence.worth,
        evidence.rhythm,
        today=today,
        watched_since_day=day_of(evidence.watched_since_ms),
        policy=policy,
        hazard=hazard,
        was_found=was_found,
    )


FINDING_RULES: Final[Mapping[FindingKind, FindingRule]] = {FindingKind.QUALITY_GONE: _quality_gone}


def judge(evidence: Evidence, *, previous: Standing | None, now_ms: int, policy: Policy, hazard: Hazard) -> Judgement:
    """Say how an article stands at ``now_ms``."""
    rhythm, blind_because = evidence.rhythm, evidence.blind_because
    today = day_of(now_ms)
    if rhythm is not None:
        today = max(today, rhythm.last_day)  # the newest link may be ahead of this clock
    state, since_day = _state(evidence, previous, today=today, policy=policy, hazard=hazard)
    suppressed = False
    if previous is not None and blind_because and _SEVERITY.get(state, 0) > _SEVERITY.get(previous.state, 0):
        state, since_day, suppressed = previous.state, None, True
    if since_day is not None:
        since_ms = since_day * DAY_MS
    elif previous is not None and previous.state == state:
        since_ms = previous.since_ms
    else:
        since_ms = now_ms
    score = None
    if rhythm is not None and _is_judgeable(rhythm, policy):
        score = round(hazard.probability(rhythm, today), 2)
    reason = _reason(rhythm, state, score=score, today=today, policy=policy, hazard=hazard)
    if suppressed:
        reason = f"{reason} Nothing worse is said, because {blind_because}."
    findings = {
        kind: Found(previous.found.get(kind, now_ms) if previous else now_ms, found)
        for kind, rule in FINDING_RULES.items()
        if (found := rule(evidence, Circumstances(today, policy, hazard, bool(previous and kind in previous.found))))
    }
    return Judgement(state, since_ms, score, suppressed, reason, findings)


def _state(
    evidence: Evidence, previous: Standing | None, *, today: int, policy: Policy, hazard: Hazard
) -> tuple[State, int | None]:
    """Return the state, and the day since which it holds where the history itself says so; worst first."""
    rhythm, watched_day = evidence.rhythm, day_of(evidence.watched_since_ms)
    if rhythm is None or not _is_judgeable(rhythm, policy):
        is_dormant = rhythm is not None and today - rhythm.last_day >= policy.unjudged_dormant_after_days
        return (State.DORMANT if is_dormant else State.NEW), None
    probability = hazard.probability(rhythm, today)
    if probability >= policy.silent_probability:
        silent_day = hazard.first_day_at(rhythm, policy.silent_probability, until_day=today)
        began_before_watch = silent_day <= watched_day
        is_old = today - silent_day >= policy.dormant_after_days
        return (State.DORMANT if began_before_watch or is_old else State.SILENT), silent_day
    if probability >= policy.cooling_probability:
        return State.COOLING, None
    if previous is not None and _is_revived(rhythm, previous, watched_day=watched_day, today=today, policy=policy):
        return State.REVIVED, None
    if _is_growing(rhythm, today, policy):
        return State.GROWING, None
    return State.STEADY, None


def _is_judgeable(rhythm: Rhythm, policy: Policy) -> bool:
    return rhythm.link_days >= policy.link_days_min


def _is_growing(rhythm: Rhythm, today: int, policy: Policy) -> bool:
    return rhythm.short_count(today) >= policy.growing_count_min and rhythm.growth(today) >= policy.growing_ratio


def _is_revived(rhythm: Rhythm, previous: Standing, *, watched_day: int, today: int, policy: Policy) -> bool:
    """Whether links came again after a silence that was said: under watch and lately, so no back-fill revives."""
    if previous.state is State.REVIVED:
        return today - day_of(previous.since_ms) < policy.revived_for_days
    was_silent = previous.state in {State.SILENT, State.DORMANT}
    return was_silent and rhythm.last_day > watched_day and today - rhythm.last_day < policy.revived_for_days


def _reason(
    rhythm: Rhythm | None, state: State, *, score: float | None, today: int, policy: Policy, hazard: Hazard
) -> str:
    """Return a sentence with the figures. That of a dormant article has none that move from day to day."""
    if rhythm is None:
        return "No link with a date of its own is known."
    last = f"{to_datetime(rhythm.last_day * DAY_MS):%Y-%m-%d}"
    if state is State.DORMANT:
        return f"No link since {last}: quiet for so long that it is no news."
    gap_days = today - rhythm.last_day
    gap = "A link today" if gap_days == 0 else f"No link for {_count(gap_days, 'day')} (since {last})"
    history = f"it gained links on {_count(rhythm.link_days, 'day')}"
    if score is None:
        return f"{gap}; {history}, and {policy.link_days_min} are needed to judge."
    return (
        f"{gap}; {history}, lately one every {rhythm.mean_gap_days:.3g} days; "
        f"chance that none comes in the next {hazard.horizon_days} days: {score:.0%}."
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
