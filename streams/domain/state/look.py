"""How a link looks: its rel tokens, anchor, text around it and placement, each as of the newest time that said it.

A link that turns nofollow, or moves from the text to the footer, is the same link with a newer look. `joined` is
commutative, associative and idempotent, so any events in any order, any number of times, lead to the same look. What
an event leaves out stays as it was. Of two looks of the same time both count: the union of flags, the highest trait.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from flatline.domain.state import link, link_traits

REL: Final = link.NOFOLLOW | link.UGC | link.SPONSORED | link.FOLLOWED | link.NOT_EDITORIAL
ANCHOR: Final = link.STUFFED_ANCHOR | link.GENERIC_ANCHOR | link.PLAIN_ANCHOR | link_traits.ANCHOR << link.FLAG_BITS
TEXT: Final = link.IN_PROSE | link.BARE
PLACEMENT: Final = link_traits.PLACEMENT << link.FLAG_BITS

PARTS: Final = (REL, ANCHOR, TEXT, PLACEMENT)
ALL: Final = REL | ANCHOR | TEXT | PLACEMENT
_FLAGS: Final = (1 << link.FLAG_BITS) - 1

Times = tuple[int, int, int, int]
"""When each of PARTS was said, in ms since the epoch; 0 for one that never was."""

NEVER: Final[Times] = (0, 0, 0, 0)


class Look(NamedTuple):
    """``marks``: flags and, above `link.FLAG_BITS`, traits; those outside ALL are 0 and don't belong to a look."""

    marks: int = 0
    times: Times = NEVER


def look_at(marks: int, at_ms: int) -> Look:
    """Return what flags and traits say of the look at a time."""
    times = (
        at_ms if marks & REL else 0,
        at_ms if marks & ANCHOR else 0,
        at_ms if marks & TEXT else 0,
        at_ms if marks & PLACEMENT else 0,
    )
    return Look(marks & ALL, times)


def joined(one: Look, other: Look) -> Look:
    """Return the newest of each part."""
    if not other.marks or one == other:
        return one
    rel, anchor, text, placement = map(max, one.times, other.times)
    if one.marks == other.marks:  # it looks as before, by far the most usual case
        return Look(one.marks, (rel, anchor, text, placement))
    marks = 0
    for part, one_ms, other_ms in zip(PARTS, one.times, other.times, strict=True):
        if one_ms > other_ms:
            marks |= one.marks & part
        elif one_ms < other_ms:
            marks |= other.marks & part
        elif one_ms:
            marks |= _both(one.marks & part, other.marks & part)
    return Look(marks, (rel, anchor, text, placement))


def _both(one: int, other: int) -> int:
    highest = max(one >> link.FLAG_BITS, other >> link.FLAG_BITS)
    return (one | other) & _FLAGS | highest << link.FLAG_BITS


_CODE_BITS: Final = 3
_CODE: Final = (1 << _CODE_BITS) - 1
CODES_BITS: Final = _CODE_BITS * len(PARTS)


def packed(times: Times) -> list[int]:
    """Return times as few numbers below 2**48: which of the times that follow belongs to which part, and these.

    The first is below 2**CODES_BITS. What else is written above these bits, `unpacked` leaves out.
    """
    instants = sorted({at_ms for at_ms in times if at_ms})
    codes = (instants.index(at_ms) + 1 if at_ms else 0 for at_ms in times)
    return [sum(code << _CODE_BITS * place for place, code in enumerate(codes)), *instants]


def unpacked(numbers: Sequence[int]) -> Times:
    """Return the times that were `packed`; raise ValueError for other numbers."""
    codes = [numbers[0] >> _CODE_BITS * place & _CODE for place in range(len(PARTS))]
    if max(codes) >= len(numbers):
        raise ValueError(f"{numbers} are no times of a look")
    rel, anchor, text, placement = (numbers[code] if code else 0 for code in codes)
    return rel, anchor, text, placement
