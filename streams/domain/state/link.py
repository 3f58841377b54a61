"""What is known of one link: it grows the same way whatever order its events come in.

`seen` is commutative, associative and idempotent (a join of maxima, minima and unions), so any events in any order, any
number of times, lead to the same `Link`. Of the flags that say how it looks, `look` keeps the newest.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from flatline.schema.lost_reason import LOST_REASONS

GAINED: Final = 1  # it was gained at least once
LOST: Final = 2  # it was lost at least once
LIVE: Final = 4  # its newest change is a gain; of a gain and a loss at the same instant the gain counts
ORGANIC: Final = 8  # its first gain was found as a new link, not by an import or a first meeting
NOFOLLOW: Final = 16
UGC: Final = 32
SPONSORED: Final = 64
STUFFED_ANCHOR: Final = 128  # made for search engines
GENERIC_ANCHOR: Final = 256  # "here"
IN_PROSE: Final = 512  # with text around it
BARE: Final = 1024  # with none, although whoever saw it looked
FOLLOWED: Final = 2048  # said to have none of the rel tokens above
PLAIN_ANCHOR: Final = 4096  # with an anchor that says nothing
SPAM: Final = 8192  # a tool calls it spam
NOT_EDITORIAL: Final = 16384  # a redirect, a canonical address and the like: no author set it
LOOKED_AT_NEWEST: Final = 32768  # only in a segment: how it looks was said at its newest change, not at its first gain

FLAG_BITS: Final = 16

_REL_FLAGS: Final = {"nofollow": NOFOLLOW, "ugc": UGC, "sponsored": SPONSORED}


NOT_KNOWN: Final = 0  # of a loss: its reason
_LOST_REASONS: Final = ("", *LOST_REASONS)
_CODES: Final = {reason: code for code, reason in enumerate(_LOST_REASONS)}


class Link(NamedTuple):
    """Instants in ms since the epoch, below 2**48; 0 where there is none. ``flags`` are those of this module.

    ``lost_reason``  of the newest change, as `lost_reason_code` has it; of several losses at that instant the highest
                     code, and NOT_KNOWN while the link is live
    """

    first_gained_ms: int
    newest_ms: int  # of the newest change
    flags: int
    lost_reason: int = NOT_KNOWN


class Effect(StrEnum):
    """What an event did to what is known."""

    GAINED = "gained"  # a link that was not known before
    RESTORED = "restored"  # a lost link is back
    LOST = "lost"  # a live link is not live any more
    SEEN_AGAIN = "seen_again"  # nothing new
    SUSPECTED = "suspected"  # nothing: somebody thinks that the link is gone, and a second look will tell
    IGNORED = "ignored"  # the policy leaves it out

    __hash__ = str.__hash__  # that of Enum takes ten times as long, and these are counted for each event


def rel_flags(tokens: Iterable[str]) -> int:
    """Return the flags of all tokens of a rel attribute, FOLLOWED where none has one. Letter case does not count."""
    flags = 0
    for token in tokens:
        flags |= _REL_FLAGS.get(token.lower(), 0)
    return flags or FOLLOWED


def lost_reason_code(reason: str | None) -> int:
    """Return the number under which a reason of LOST_REASONS is kept, NOT_KNOWN for None. It never changes."""
    return _CODES[reason or ""]


def lost_reason_of(code: int) -> str | None:
    """Return the reason that is kept under a code; None for NOT_KNOWN, and for one of a later version."""
    return _LOST_REASONS[code] or None if code < len(_LOST_REASONS) else None


def seen(link: Link, *, gained: bool, at_ms: int, flags: int, lost_reason: int = NOT_KNOWN) -> Link:
    """Return the link after an event at ``at_ms`` (> 0).

    ``flags``: those of rel, and ORGANIC if it is. ``lost_reason``: the code of a loss.
    """
    first_ms, newest_ms, known, reason = link
    if not gained:
        if at_ms > newest_ms:
            return Link(first_ms, at_ms, (known | LOST) & ~LIVE, lost_reason)
        if at_ms == newest_ms and not known & LIVE:
            reason = max(reason, lost_reason)
        return Link(first_ms, newest_ms, known | LOST, reason)
    known |= flags & ~ORGANIC | GAINED
    if first_ms == 0 or at_ms < first_ms:
        first_ms = at_ms
        known = known & ~ORGANIC | flags & ORGANIC
    elif at_ms == first_ms:
        known |= flags & ORGANIC
    if at_ms >= newest_ms:
        return Link(first_ms, at_ms, known | LIVE)
    return Link(first_ms, newest_ms, known, reason)


def joined(one: Link, other: Link) -> Link:
    """Return the link after all events of both: ``seen`` of the events of one, then of those of the other."""
    first_ms, newest_ms, known, reason = one
    other_first_ms, other_newest_ms, other_known, other_reason = other
    flags = (known | other_known) & ~(ORGANIC | LIVE)
    if other_first_ms == first_ms:
        flags |= (known | other_known) & ORGANIC
    elif first_ms == 0 or 0 < other_first_ms < first_ms:
        first_ms = other_first_ms
        flags |= other_known & ORGANIC
    else:
        flags |= known & ORGANIC
    if other_newest_ms == newest_ms:
        flags |= (known | other_known) & LIVE
        reason = NOT_KNOWN if flags & LIVE else max(reason, other_reason)
    elif other_newest_ms > newest_ms:
        newest_ms, reason = other_newest_ms, other_reason
        flags |= other_known & LIVE
    else:
        flags |= known & LIVE
    return Link(first_ms, newest_ms, flags, reason)


def effect(before: Link, after: Link, *, gained: bool) -> Effect:
    """Say what an event did that led from ``before`` to ``after``."""
    if not before.flags & GAINED:
        return Effect.GAINED if gained else Effect.SEEN_AGAIN
    was_live, is_live = before.flags & LIVE, after.flags & LIVE
    if was_live == is_live:
        return Effect.SEEN_AGAIN
    return Effect.RESTORED if is_live else Effect.LOST
