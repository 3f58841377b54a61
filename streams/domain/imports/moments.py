"""A moment: the instant at which a source says that links were gained."""

from flatline.domain.state import link
from flatline.domain.state.article import LinkObservation
from flatline.domain.time import DAY_MS
from flatline.schema.link_event import LinkEvent

Moment = tuple[str, int]
"""A source, and an instant in ms since the epoch."""


def moment_of(event: LinkEvent, observation: LinkObservation) -> Moment | None:
    """Return the moment at which a link was gained that counts as a sign of life; None where its source says none.

    The time at which somebody saw it is none: a crawler that sees a hundred new links in one run does its work. Nor is
    midnight UTC: it stands for a date without a time, and a busy day of a source with such dates is no import.
    """
    says_one = (
        event.occurred_at is not None
        and observation.is_gain
        and observation.flags_and_traits & link.ORGANIC
        and observation.at_ms % DAY_MS
        and not observation.is_clamped
    )
    return (observation.source, observation.at_ms) if says_one and observation.source is not None else None
