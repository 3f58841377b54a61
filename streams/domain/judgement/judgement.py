"""The judgement of an article by its evidence."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from flatline.domain.judgement.evidence import Circumstances, Evidence
from flatline.domain.judgement.finding_rules import FINDING_RULES, is_mass_loss_made_good
from flatline.domain.judgement.reasons import MADE_GOOD, held_back, reason_of
from flatline.domain.judgement.states import (
    SEVERITY,
    is_judgeable,
    is_taken_back_by_time,
    quiet_before_link,
    silent_since_day,
    state_of,
)
from flatline.domain.learned.hazard import Hazard
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.state.previous_verdict import PreviousVerdict
from flatline.domain.time import DAY_MS, day_of, to_datetime
from flatline.schema.verdict import FindingKind, State


class OpenFinding(NamedTuple):
    """Something beside the state: since when, and why; of a mass loss also the links by their lost_reason."""

    since_ms: int
    reason: str
    lost_reasons: Mapping[str, int] = MappingProxyType({})


class Judgement(NamedTuple):
    """A state, since when, how sure (None where nothing can be said), and why; and what else was found.

    ``score``        the silence score, 0 to 1, by which the thresholds go
    ``probability``  that no link comes within the horizon
    ``quiet_since_ms``  since when it was silent, while one link alone has come after that; else 0
    """

    state: State
    since_ms: int
    score: float | None
    probability: float | None
    suppressed: bool
    reason: str
    findings: Mapping[FindingKind, OpenFinding]
    link_days: int = 0
    quiet_since_ms: int = 0

    def as_previous_verdict(self, digest: int = 0) -> PreviousVerdict:
        """Return what the next judgement needs to know of this one."""
        found = {kind: found.since_ms for kind, found in self.findings.items()}
        return PreviousVerdict(self.state, self.since_ms, digest, found, self.link_days, self.quiet_since_ms)


def judge(
    evidence: Evidence, *, previous: PreviousVerdict | None, now_ms: int, thresholds: Thresholds, hazard: Hazard
) -> Judgement:
    """Say how an article stands at ``now_ms``."""
    rhythm, today = evidence.rhythm, day_of(now_ms)
    seen_day = today
    if rhythm is not None:
        today = max(today, rhythm.last_day)  # the newest link may be ahead of this clock
        seen_day = max(today - int(evidence.visibility.unseen_days), rhythm.last_day)
    season_until_day = evidence.season.until_day if evidence.season else 0
    at = Circumstances(today, thresholds, hazard, previous=previous, season_until_day=season_until_day)
    at = _on(seen_day, evidence, at)
    state = state_of(evidence, at)
    suppressed = False
    if previous is not None and is_taken_back_by_time(state, evidence, at):
        state, at = previous.state, _on(today, evidence, at)
    if seen_day < today:
        looks_like = state_of(evidence, _on(today, evidence, at))
        suppressed = SEVERITY.get(looks_like, 0) > SEVERITY.get(state, 0)
    if rhythm is not None and at.score is not None:
        at = at._replace(probability=hazard.probability(rhythm, at.seen_day))
    reason = reason_of(state, evidence, at)
    if suppressed:
        reason = f"{reason} {held_back(evidence)}"
    findings = _findings(evidence, at, now_ms=now_ms)
    if is_mass_loss_made_good(findings, at):
        reason = f"{reason} {MADE_GOOD}"
    return Judgement(
        state,
        _since_ms(state, evidence, at, now_ms=now_ms),
        _rounded(at.score),
        _rounded(at.probability),
        suppressed,
        reason,
        findings,
        rhythm.link_days if rhythm else 0,
        (quiet_before_link(rhythm, evidence, at) or 0) * DAY_MS if rhythm else 0,
    )


def retired(*, since_ms: int, link_days: int) -> Judgement:
    """Return what is said of an article instead of a judgement, once somebody said that it is retired."""
    reason = f"It was marked as retired on {to_datetime(since_ms):%Y-%m-%d} and is not judged."
    return Judgement(State.DORMANT, since_ms, None, None, False, reason, {}, link_days)


def _on(day: int, evidence: Evidence, at: Circumstances) -> Circumstances:
    """Return the circumstances with the article judged to a day, by the score alone."""
    rhythm, score = evidence.rhythm, None
    if rhythm is not None and is_judgeable(rhythm, at):
        score = at.hazard.score(rhythm, day)
    return at._replace(seen_day=day, score=score)


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 2)


def _since_ms(state: State, evidence: Evidence, at: Circumstances, *, now_ms: int) -> int:
    """Return since when a state holds: since the day on which a silence began, or since it was first said."""
    previous, rhythm = at.previous, evidence.rhythm
    if previous is not None and previous.state is state:
        return previous.since_ms
    is_silence = state in {State.SILENT, State.DORMANT} and at.score is not None
    if is_silence and rhythm is not None and at.seen_day == at.today:
        return silent_since_day(rhythm, at) * DAY_MS
    return now_ms


def _findings(evidence: Evidence, at: Circumstances, *, now_ms: int) -> dict[FindingKind, OpenFinding]:
    said = at.previous.found if at.previous else {}
    found = {}
    for kind, rule in FINDING_RULES.items():
        reason = rule(evidence, at._replace(was_found=True) if kind in said else at)
        if reason:
            losses = evidence.losses if kind is FindingKind.MASS_LOSS else None
            found[kind] = OpenFinding(said.get(kind, now_ms), reason, losses.lost_reasons if losses else {})
    return found
