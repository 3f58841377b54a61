"""What an event says of its link: the flags of `link` and, above `link.FLAG_BITS`, the `link_traits`.

Every gain comes through here: what is not said costs nothing, and anchors are read once.
"""

import re
from typing import Final

from flatline.domain.events import anchors, pages
from flatline.domain.events.anchors import CHARS_READ_MAX
from flatline.domain.events.pages import GUESSED, INTERVIEW_SLUG, READINGS, PageKind, Reading, is_url_telling
from flatline.domain.state import link, link_traits
from flatline.schema.link_event import LinkEvent

# Of the text around a link; a Chinese sentence has half as many characters as an English one, and more than the first.
PROSE_CHARS_MIN: Final = 40
BARE_CHARS_MAX: Final = 15

_NOT_EDITORIAL: Final = frozenset({"redirect", "canonical", "alternate", "rss", "form", "frame", "meta"})
"""Kinds of links that no author has put into a text. An image is none of them."""

_DISCLOSURE: Final = re.compile(
    r"\b(?:sponsored (?:by|post|content|link|article)|advertorial|advertisement|advertising partners?)\b",
    re.IGNORECASE,
).search
IN_DISCLOSURES: Final = ("ponsored", "dvert")
"""Only a text with one of these is looked through for disclosures."""
_IN_ONE, _IN_OTHER = IN_DISCLOSURES
_SPONSORED: Final = READINGS.index(Reading(PageKind.SPONSORED, GUESSED))
_PLACEMENTS: Final = {each: link_traits.placement(each) << link.FLAG_BITS for each in link_traits.PLACEMENTS if each}
_READINGS: Final = [link_traits.reading(place) << link.FLAG_BITS for place in range(len(READINGS))]


def flags_and_traits_of(event: LinkEvent) -> int:
    """Return what the quality of a gained link goes by, but for its rel tokens."""
    place = flags_and_traits = 0
    page, url = event.page, event.url_from
    if page is not None or is_url_telling(url) or INTERVIEW_SLUG in url:
        place = pages.place_of(page, url)
    anchor, context = event.anchor, event.context
    if anchor is not None:
        flags_and_traits = _of_anchor(anchor)
    if context is not None:
        if len(context) >= PROSE_CHARS_MIN:
            flags_and_traits |= link.IN_PROSE
            # The regular expression, with letter case left out, takes ten times as long as looking for parts of words.
            if (_IN_ONE in context or _IN_OTHER in context) and _DISCLOSURE(context):
                place = max(place, _SPONSORED)
        elif len(context) <= BARE_CHARS_MAX:
            flags_and_traits |= link.BARE
    if place:
        flags_and_traits |= _READINGS[place]
    if event.placement is not None:
        flags_and_traits |= _PLACEMENTS[event.placement]
    if event.authority is not None:
        flags_and_traits |= link_traits.authority(event.authority) << link.FLAG_BITS
    return flags_and_traits | _flags_of_tools(event.flags)


def _of_anchor(anchor: str) -> int:
    read = anchor if len(anchor) <= CHARS_READ_MAX else anchor[:CHARS_READ_MAX]
    return anchors.flags_and_traits_of(read) or link.PLAIN_ANCHOR


def _flags_of_tools(names: list[str]) -> int:
    flags = 0
    for name in names:
        if name in _NOT_EDITORIAL:
            flags |= link.NOT_EDITORIAL
        elif name == "spam":
            flags |= link.SPAM
    return flags
