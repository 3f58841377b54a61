"""Traits of a link that its quality goes by, beside the flags: four bytes a link, joined field by field.

`joined` keeps the highest code of each field, so any events in any order, any number of times, lead to the same traits.
Of the anchor and the placement, `look` keeps the newest. 0 in a field: not known.
"""

from typing import Final

ANCHOR: Final = 0xFFFF  # fingerprint of the anchor, as `anchors` makes it; 0 for what any page may call a link
PHRASE: Final = 0x8000  # of ANCHOR: it is a phrase in small letters
AUTHORITY: Final = 0x7F << 16  # the vendor's figure, 0 to 100, rounded, and one more
PLACEMENT: Final = 0x7 << 23
READING: Final = 0x3F << 26  # of the page: a place in `pages.READINGS`

BYTES: Final = 4

PLACEMENTS: Final = (None, "footer", "nav", "sidebar", "comment", "content")
"""From the worst to the best: a page that links in its text and in its footer links in its text."""


def placement(code: str) -> int:
    """Return the traits of a placement."""
    return PLACEMENTS.index(code) << 23


def authority(vendors: float) -> int:
    """Return the traits of a vendor's authority, 0 to 100."""
    return round(vendors) + 1 << 16


def reading(place: int) -> int:
    """Return the traits of a reading of the page."""
    return place << 26


def placement_of(traits: int) -> str | None:
    """Return the best placement that was seen."""
    return PLACEMENTS[(traits & PLACEMENT) >> 23]


def authority_of(traits: int) -> int | None:
    """Return the highest authority that was seen."""
    return ((traits & AUTHORITY) >> 16) - 1 if traits & AUTHORITY else None


def reading_of(traits: int) -> int:
    """Return the place of the reading of the page."""
    return traits >> 26


def joined(one: int, other: int) -> int:
    """Return the highest code of each field."""
    if one == other or not other:
        return one
    return (
        max(one & ANCHOR, other & ANCHOR)
        | max(one & AUTHORITY, other & AUTHORITY)
        | max(one & PLACEMENT, other & PLACEMENT)
        | max(one & READING, other & READING)
    )
