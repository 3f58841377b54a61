"""The articles that have metrics of their own: a bounded choice, registered tiers first, then those in trouble."""

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush, merge
from itertools import islice
from typing import Final, NamedTuple

from flatline.schema.verdict import State, Verdict

_URGENCY: Final = {State.SILENT: 0, State.REVIVED: 1, State.COOLING: 2}
_FOUND: Final = 3  # nothing in the state, but something beside it
_CALM: Final = 4
_UNREGISTERED_TIER: Final = 4
_HEAP_MIN: Final = 1_000


Rank = tuple[int, int, int, str]  # smallest first; the last is the article, so no two are equal


class Watched(NamedTuple):
    """An article's verdict, and the figures behind it that a metric shows.

    ``is_unseen``  none of its usual sources can see, or nothing worse is said because it could not be seen
    """

    verdict: Verdict
    usual_gap_days: float = 0.0
    days_since_last_link: int | None = None
    is_unseen: bool = False

    @property
    def is_candidate(self) -> bool:
        """Whether it is registered or in trouble; others are never watched."""
        verdict = self.verdict
        return verdict.tier is not None or verdict.state in _URGENCY or bool(verdict.findings)

    @property
    def rank(self) -> Rank:
        """Smallest first."""
        verdict = self.verdict
        tier = verdict.tier or _UNREGISTERED_TIER
        calm = _FOUND if verdict.findings else _CALM
        return tier, _URGENCY.get(verdict.state, calm), -verdict.gained_total, verdict.article


class Candidates:
    """The candidates of a partition, ranked as verdicts come: the best are found without a look at all others."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Watched, Rank]] = {}
        self._set_aside: dict[str, Watched] = {}
        self._is_set_aside: Callable[[str], bool] = lambda _article: False
        self._version = 0
        self._heap: list[Rank] = []  # with ranks that hold no more: they are dropped when they come up
        self.registered = 0

    def __len__(self) -> int:
        return len(self._known)

    def note(self, watched: Watched) -> None:
        """Take in the newest verdict on an article."""
        article = watched.verdict.article
        if not watched.is_candidate:
            self.forget(article)
            return
        if self._is_set_aside(article):
            self.forget(article)
            self._set_aside[article] = watched
            return
        self._set_aside.pop(article, None)
        known, rank = self._known.get(article), watched.rank
        self.registered += _is_registered(watched) - (known is not None and _is_registered(known[0]))
        self._known[article] = watched, rank
        if known is None or known[1] != rank:
            heappush(self._heap, rank)
            if len(self._heap) > 2 * len(self._known) + _HEAP_MIN:
                self._heap = [rank for _, rank in self._known.values()]
                heapify(self._heap)

    def forget(self, article: str) -> None:
        """Leave an article out from now on."""
        self._set_aside.pop(article, None)
        known = self._known.pop(article, None)
        if known is not None:
            self.registered -= _is_registered(known[0])

    def set_aside(self, is_set_aside: Callable[[str], bool], version: int) -> None:
        """Leave out the articles of which this is true, from now on and until it is asked with another version.

        All are looked at only where ``version`` is not that of the last call.
        """
        if version == self._version:
            return
        self._is_set_aside, self._version = is_set_aside, version
        for watched in [*(watched for watched, _ in self._known.values()), *self._set_aside.values()]:
            self.note(watched)

    def best(self, size: int) -> list[tuple[Rank, Watched]]:
        """Return the best of them, at most ``size``, in order of their ranks."""
        best: list[tuple[Rank, Watched]] = []
        while self._heap and len(best) < size:
            rank = heappop(self._heap)
            known = self._known.get(rank[-1])
            if known is not None and known[1] == rank and not (best and best[-1][0] == rank):
                best.append((rank, known[0]))
        for rank, _ in best:
            heappush(self._heap, rank)
        return best


class WatchList:
    """The choice of at most ``size`` of all candidates."""

    def __init__(self, size: int, candidates: Iterable[Candidates]) -> None:
        self._candidates = list(candidates)
        self.size = size

    def chosen(self) -> list[Watched]:
        """Return the watched articles, most important first."""
        best = merge(*(candidates.best(self.size) for candidates in self._candidates))
        return [watched for _, watched in islice(best, self.size)]

    def left_out(self) -> tuple[int, int]:
        """Return how many candidates there is no room for: registered ones, and others."""
        registered = sum(candidates.registered for candidates in self._candidates)
        known = sum(map(len, self._candidates))
        # Registered ones come first, whatever their tier.
        return max(0, registered - self.size), min(known - registered, max(0, known - self.size))


def _is_registered(watched: Watched) -> bool:
    return watched.verdict.tier is not None
