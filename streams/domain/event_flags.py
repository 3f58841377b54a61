"""What a link event says of its link, as flags."""

from streams.domain import link
from streams.domain.link import rel_flags
from streams.domain.quality.marks import marks_of
from streams.schema.link_event import LinkEvent


def flags_of(event: LinkEvent) -> int:
    """Return the flags of `streams.domain.link` for an event; a loss says nothing of the link's looks."""
    flags = link.ORGANIC if event.discovery == "link_found" else 0
    if event.change == "gained":
        flags |= marks_of(event)
        if event.rel:
            flags |= rel_flags(event.rel)
    return flags
