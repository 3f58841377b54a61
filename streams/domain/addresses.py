"""An article that moved has several addresses. What is known of each is kept by itself, as if nothing had moved.

So links, moves, removals and registrations may come in any order: what is known of an address is a function of the set
of its events, and what is shown of an article, which `shown` computes when it is judged, is a function of what is
known of its addresses. A move that is undone takes nothing apart, as nothing was put together.
"""

from collections.abc import Collection, Iterable

from streams.domain.article import Article, Header
from streams.domain.moves import Moves
from streams.domain.rhythm import day_of
from streams.domain.segment import Segment


class Addresses:
    """Which of the addresses on a partition moved, and where to.

    An index, that follows `Moves` as they change.
    """

    def __init__(self) -> None:
        self._known_moves = 0
        self._covered: set[bytes] = set()
        self._current: dict[bytes, bytes] = {}
        self._former: dict[bytes, set[bytes]] = {}
        self._changed: set[bytes] = set()

    def follow(self, moves: Moves, keys: Collection[bytes]) -> set[bytes]:
        """Take in what moved since the last time; return the keys, old and new ones, of which something else is shown.

        ``keys``: those of all addresses on the partition.
        """
        if changed := moves.log[self._known_moves :]:
            self._known_moves = len(moves.log)
            candidates = {rule.old.url.encode() for rule in changed if not rule.old.is_below} | self._covered
            if below := tuple({rule.old.url.encode() for rule in changed if rule.old.is_below}):
                candidates.update(key for key in keys if key.startswith(below))
            for key in candidates:
                if key in keys:
                    self._place(key, moves)
        changed_keys, self._changed = self._changed, set()
        return changed_keys

    def current(self, key: bytes, moves: Moves) -> bytes:
        """Return the key of the article that an address on the partition belongs to now."""
        if moves.log:
            self._place(key, moves)
        return self._current.get(key, key)

    def former(self, key: bytes) -> list[bytes]:
        """Return the other addresses of an article that lie on the partition."""
        return sorted(self._former.get(key, ()))

    def _place(self, key: bytes, moves: Moves) -> None:
        if moves.covers(key):
            self._covered.add(key)
        elif key in self._covered:
            self._covered.discard(key)
        else:
            return
        before, after = self._current.pop(key, key), moves.current(key)
        if after != key:
            self._current[key] = after
        if before == after:
            return
        if before != key:
            self._former[before].discard(key)
        if after != key:
            self._former.setdefault(after, set()).add(key)
        self._changed |= {key, before, after}


def shown(key: bytes, parts: Iterable[Article]) -> Article:
    """Return the article whose addresses have these parts: what is known of it, without what a removal covers.

    A removal of any of its addresses covers the whole article: links first gained until then (seeing one of them again
    changes nothing), visits until the end of its UTC day, and registrations.
    """
    parts = list(parts)
    if len(parts) == 1 and parts[0].key == key and not parts[0].header.removed_ms:
        return parts[0]
    removed_ms = max(part.header.removed_ms for part in parts)
    header = Header(watched_since_ms=max(removed_ms, min(part.header.watched_since_ms for part in parts)))
    article = Article(key, header, Segment())
    for part in parts:
        article.join_header(part.header)
        links = (known for segment in part.segments for known in segment.known())
        article.join(known for known in links if not removed_ms or known.link.first_gained_ms > removed_ms)
        removed_day = day_of(removed_ms) if removed_ms else -1
        article.see_visits(report for report in part.visits.reports() if report.day > removed_day)
    header.watched_since_ms = max(removed_ms, header.watched_since_ms)
    own = next((part for part in parts if part.key == key), None)
    if removed_ms or (own is not None and own.header.standing is not None):
        header.standing = None if own is None else own.header.standing
    return article


def is_there(article: Article, *, links_bring_back: bool) -> bool:
    """Whether there is such an article at all, given what is shown of it.

    ``links_bring_back``: one that was removed is there again, although not registered, when it gains a link.
    """
    header = article.header
    if header.registration.tier is not None:
        return True
    if header.removed_ms:
        return links_bring_back and article.totals.gained > 0
    return bool(article.visits) or any(len(segment) for segment in article.segments)
