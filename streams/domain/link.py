"""What is known of one link, as a register that grows the same way whatever order its events come in.

A register is one int, so that an article can hold many in a packed array: 48 bits for the event time in ms of its first
gain, 48 bits for that of its newest change, 8 bits of flags. `seen` is commutative, associative and idempotent
(a join of maxima, minima and unions), so any events in any order, any number of times, give the same register.
"""

from collections.abc import Iterable
from typing import Final

GAINED: Final = 1  # it was gained at least once
LOST: Final = 2  # it was lost at least once
LIVE: Final = 4  # its newest change is a gain; of a gain and a loss at the same instant the gain counts
ORGANIC: Final = 8  # its first gain was found as a new link, not by an import or a first meeting
NOFOLLOW: Final = 16
UGC: Final = 32
SPONSORED: Final = 64

_REL_FLAGS: Final = {"nofollow": NOFOLLOW, "ugc": UGC, "sponsored": SPONSORED}

UNKNOWN: Final = 0
REGISTER_BYTES: Final = 13

_FLAGS: Final = 0xFF
_INSTANT: Final = (1 << 48) - 1


def rel_flags(tokens: Iterable[str]) -> int:
    """Return the flags of the tokens of a rel attribute; letter case does not count, and unknown tokens have none."""
    flags = 0
    for token in tokens:
        flags |= _REL_FLAGS.get(token.lower(), 0)
    return flags


def first_gained_ms(register: int) -> int:
    """Return the event time of the first gain; 0 when it was never gained."""
    return register >> 56


def seen(register: int, *, gained: bool, at_ms: int, organic: bool, rel: int) -> int:
    """Return the register after an event at ``at_ms`` (0 < at_ms < 2**48). ``rel`` is a union of rel flags."""
    first_ms = register >> 56
    newest_ms = (register >> 8) & _INSTANT
    flags = register & _FLAGS
    if gained:
        flags |= rel | GAINED
        if first_ms == 0 or at_ms < first_ms:
            first_ms = at_ms
            flags = flags | ORGANIC if organic else flags & ~ORGANIC
        elif at_ms == first_ms and organic:
            flags |= ORGANIC
        if at_ms >= newest_ms:
            newest_ms = at_ms
            flags |= LIVE
    else:
        flags |= LOST
        if at_ms > newest_ms:
            newest_ms = at_ms
            flags &= ~LIVE
    return first_ms << 56 | newest_ms << 8 | flags
