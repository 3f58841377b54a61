"""The rules of findings: what is reported of an article beside its state."""

from collections.abc import Callable, Container, Mapping
from typing import Final

from flatline.domain.judgement import quality_silence as gone
from flatline.domain.judgement.evidence import Circumstances, Evidence
from flatline.domain.state.losses import WINDOW_DAYS
from flatline.domain.time import day_of
from flatline.schema.verdict import FindingKind

# Returns the reason where the rule applies.
FindingRule = Callable[[Evidence, Circumstances], str | None]


def mass_loss(evidence: Evidence, circumstances: Circumstances) -> str | None:
    """Many links were lost within days: in number, and as a share of those that were there."""
    losses, thresholds = evidence.losses, circumstances.thresholds
    if losses is None:
        return None
    enough = thresholds.mass_loss_left_at if circumstances.was_found else 1.0
    if losses.lost < thresholds.mass_loss_links_min * enough:
        return None
    if losses.lost < thresholds.mass_loss_share * losses.live_before * enough:
        return None
    return losses.reason(is_floor=evidence.is_floor)


def quality_gone(evidence: Evidence, circumstances: Circumstances) -> str | None:
    """Links still come, but none that matter."""
    was_found = circumstances.was_found
    if evidence.link_value is None or evidence.rhythm is None or (evidence.visibility.is_hardly_seen and not was_found):
        return None
    return gone.reason(
        evidence.link_value,
        evidence.rhythm,
        today=circumstances.today,
        watched_since_day=day_of(evidence.watched_since_ms),
        thresholds=circumstances.thresholds,
        hazard=circumstances.hazard,
        was_found=was_found,
    )


FINDING_RULES: Final[Mapping[FindingKind, FindingRule]] = {
    FindingKind.MASS_LOSS: mass_loss,
    FindingKind.QUALITY_GONE: quality_gone,
}


def is_mass_loss_made_good(found: Container[FindingKind], circumstances: Circumstances) -> bool:
    """Whether a mass loss that was said is not found any more, and so lately that time alone can't be the reason."""
    said = circumstances.previous.found if circumstances.previous else {}
    since_ms = said.get(FindingKind.MASS_LOSS)
    if since_ms is None or FindingKind.MASS_LOSS in found:
        return False
    return circumstances.today - day_of(since_ms) < WINDOW_DAYS
