"""The articles that have metrics of their own: a bounded choice, registered tiers first, then those in trouble."""

from heapq import nsmallest
from typing import Final, NamedTuple

from streams.schema.verdict import State, Verdict

_URGENCY: Final = {State.SILENT: 0, State.REVIVED: 1, State.COOLING: 2}
_FOUND: Final = 3  # nothing in the state, but something beside it
_CALM: Final = 4
_UNREGISTERED_TIER: Final = 4


class Watched(NamedTuple):
    """An article's verdict, and the figures behind it that a metric shows.

    ``is_unseen``  none of its usual sources can see, or nothing worse is said because it could not be seen
    """

    verdict: Verdict
    mean_gap_days: float = 0.0
    days_since_last_link: int | None = None
    is_unseen: bool = False

    @property
    def is_candidate(self) -> bool:
        """Whether it is registered or in trouble; others are never watched."""
        verdict = self.verdict
        return verdict.tier is not None or verdict.state in _URGENCY or bool(verdict.findings)

    @property
    def rank(self) -> tuple[int, int, int, str]:
        """Smallest first."""
        verdict = self.verdict
        tier = verdict.tier or _UNREGISTERED_TIER
        calm = _FOUND if verdict.findings else _CALM
        return tier, _URGENCY.get(verdict.state, calm), -verdict.gained_total, verdict.article


class WatchList:
    """Chooses at most ``size`` of the candidates."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._candidates: dict[str, Watched] = {}

    def note(self, watched: Watched) -> None:
        """Take in the newest verdict on an article."""
        if watched.is_candidate:
            self._candidates[watched.verdict.article] = watched
        else:
            self.forget(watched.verdict.article)

    def forget(self, article: str) -> None:
        """Leave an article out from now on."""
        self._candidates.pop(article, None)

    def chosen(self) -> list[Watched]:
        """Return the watched articles, most important first."""
        return nsmallest(self.size, self._candidates.values(), key=lambda watched: watched.rank)

    def left_out(self) -> tuple[int, int]:
        """Return how many candidates there is no room for: registered ones, and others."""
        registered = sum(watched.verdict.tier is not None for watched in self._candidates.values())
        others = len(self._candidates) - registered
        # Registered ones come first, whatever their tier.
        return max(0, registered - self.size), min(others, max(0, len(self._candidates) - self.size))
