"""What is known of one link: it grows the same way whatever order its events come in.

`seen` is commutative, associative and idempotent (a join of maxima, minima and unions), so any events in any order, any
number of times, lead to the same `Link`. Of the flags that say how it looks, `look` keeps the newest.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

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


class Link(NamedTuple):
    """Instants in ms since the epoch, below 2**48; 0 where there is none. ``flags`` are those of this module."""

    first_gained_ms: int
    newest_ms: int  # of the newest change
    flags: int


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


def seen(link: Link, *, gained: bool, at_ms: int, flags: int) -> Link:
    """Return the link after an event at ``at_ms`` (> 0). ``flags``: those of rel, and ORGANIC if it is."""
    first_ms, newest_ms, known = link
    if not gained:
        if at_ms > newest_ms:
            return Link(first_ms, at_ms, (known | LOST) & ~LIVE)
        return Link(first_ms, newest_ms, known | LOST)
    known |= flags & ~ORGANIC | GAINED
    if first_ms == 0 or at_ms < first_ms:
        first_ms = at_ms
        known = known & ~ORGANIC | flags & ORGANIC
    elif at_ms == first_ms:
        known |= flags & ORGANIC
    if at_ms >= newest_ms:
        return Link(first_ms, at_ms, known | LIVE)
    return Link(first_ms, newest_ms, known)


def joined(one: Link, other: Link) -> Link:
    """Return the link after all events of both: ``seen`` of the events of one, then of those of the other."""
    first_ms, newest_ms, known = one
    other_first_ms, other_newest_ms, other_known = other
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
    elif other_newest_ms > newest_ms:
        newest_ms = other_newest_ms
        flags |= other_known & LIVE
    else:
        flags |= known & LIVE
    return Link(first_ms, newest_ms, flags)


def effect(before: Link, after: Link, *, gained: bool) -> Effect:
    """Say what an event did that led from ``before`` to ``after``."""
    if not before.flags & GAINED:
        return Effect.GAINED if gained else Effect.SEEN_AGAIN
    was_live, is_live = before.flags & LIVE, after.flags & LIVE
    if was_live == is_live:
        return Effect.SEEN_AGAIN
    return Effect.RESTORED if is_live else Effect.LOST
