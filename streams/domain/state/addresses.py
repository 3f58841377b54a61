"""An article that moved has several addresses. What is known of each is kept by itself, as if nothing had moved.

So links, moves, removals and registrations may come in any order: what is known of an address is a function of the set
of its events, and what is shown of an article, which `shown` computes when it is judged, is a function of what is
known of its addresses. A move that is undone takes nothing apart, as nothing was put together.
"""

from collections.abc import Collection, Iterable

import msgspec

from flatline.domain.state.article import Article
from flatline.domain.state.moves import Moves
from flatline.domain.state.segment import Segment
from flatline.domain.time import day_of


class Addresses:
    """Which of the addresses on a partition moved, and where to.

    An index, that follows `Moves` as they change.
    """

    def __init__(self) -> None:
        self._known_moves = 0
        self._known_version = 0  # of the parameters that sites ignore
        self._covered: set[bytes] = set()
        self._current: dict[bytes, bytes] = {}
        self._former: dict[bytes, set[bytes]] = {}
        self._changed: set[bytes] = set()

    def follow(self, moves: Moves, keys: Collection[bytes]) -> set[bytes]:
        """Take in what moved since the last time; return the keys, old and new ones, of which something else is shown.

        ``keys``: those of all addresses on the partition.
        """
        changed, version = moves.log[self._known_moves :], moves.ignored_parameters_version
        if changed or version != self._known_version:
            candidates = {rule.old.url.encode() for rule in changed if not rule.old.is_below} | self._covered
            if version != self._known_version:
                candidates.update(key for key in keys if b"?" in key)
            self._known_moves, self._known_version = len(moves.log), version
            if below := tuple({rule.old.url.encode() for rule in changed if rule.old.is_below}):
                candidates.update(key for key in keys if key.startswith(below))
            for key in candidates:
                if key in keys:
                    self._place(key, moves)
        changed_keys, self._changed = self._changed, set()
        return changed_keys

    def current(self, key: bytes, moves: Moves) -> bytes:
        """Return the key of the article that an address on the partition belongs to now."""
        if not moves.is_empty:
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
    own = next((part for part in parts if part.key == key), None)
    article = Article.to_look_at(key, parts)
    if own is not None and own.header.previous_verdict is not None:
        article.header.previous_verdict = own.header.previous_verdict
    return _without_removed(article, own) if article.header.removed_ms else article


def _without_removed(article: Article, own: Article | None) -> Article:
    removed_ms, known = article.header.removed_ms, article.header
    header = msgspec.structs.replace(
        known,
        watched_since_ms=max(removed_ms, known.watched_since_ms),
        previous_verdict=None if own is None else own.header.previous_verdict,
        floor_ms=known.floor_ms if known.floor_ms > removed_ms else 0,
    )
    left = Article(article.key, header, Segment())
    links = (link for segment in article.segments for link in segment.known())
    left.join(each for each in links if each.link.first_gained_ms > removed_ms)
    removed_day = day_of(removed_ms)
    left.apply_visits(report for report in article.visits.reports() if report.day > removed_day)
    return left


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
