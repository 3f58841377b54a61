"""How a link changed its look. It is the same link and no count changes, but it may be worth less: people are told."""

from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

_WORDS_CHARACTERS_MAX: Final = 200


class LookChangeKind(StrEnum):
    """What of its look changed."""

    NOFOLLOW = "nofollow"  # it was followed, and is nofollow now
    FOLLOWED = "followed"  # the other way round
    ANCHOR = "anchor"  # another text
    PLACEMENT = "placement"  # another place on its page


LOOK_CHANGE_PHRASES: Final = {
    LookChangeKind.NOFOLLOW: "turned nofollow",
    LookChangeKind.FOLLOWED: "no longer nofollow",
    LookChangeKind.ANCHOR: "anchor rewritten",
    LookChangeKind.PLACEMENT: "moved",
}


class Looked(NamedTuple):
    """How a link looked, as events say it. None: nobody said."""

    rel: Collection[str] | None = None
    anchor: str | None = None
    placement: str | None = None

    def updated(self, newer: "Looked") -> "Looked":
        """Return what is known after a newer look: what that does not mention stays."""
        return Looked(
            self.rel if newer.rel is None else newer.rel,
            self.anchor if newer.anchor is None else newer.anchor,
            self.placement if newer.placement is None else newer.placement,
        )


class LookChange(NamedTuple):
    """``words``: from what to what, for people; empty where the kind says it all."""

    kind: LookChangeKind
    words: str = ""


def look_changes(before: Looked, after: Looked) -> Iterator[LookChange]:
    """Yield what changed from one look to the next, where both say something.

    >>> [str(change.kind) for change in look_changes(Looked([], "Tides"), Looked(["nofollow"], "here"))]
    ['nofollow', 'anchor']
    """
    if before.rel is not None and after.rel is not None and _is_nofollow(before.rel) != _is_nofollow(after.rel):
        yield LookChange(LookChangeKind.NOFOLLOW if _is_nofollow(after.rel) else LookChangeKind.FOLLOWED)
    if before.anchor is not None and after.anchor is not None and before.anchor.split() != after.anchor.split():
        yield LookChange(LookChangeKind.ANCHOR, f"{_shortened(before.anchor)} → {_shortened(after.anchor)}")
    if before.placement is not None and after.placement is not None and before.placement != after.placement:
        yield LookChange(LookChangeKind.PLACEMENT, f"{before.placement} → {after.placement}")


def _is_nofollow(rel: Collection[str]) -> bool:
    return any(token.lower() == "nofollow" for token in rel)


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return f"“{text if len(text) <= _WORDS_CHARACTERS_MAX else f'{text[:_WORDS_CHARACTERS_MAX]}…'}”"
