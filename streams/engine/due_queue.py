"""The articles of a partition in the order in which they are due to be judged."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from itertools import chain, islice
from typing import Final

from flatline.domain.learned.domain_reputation import DomainReputations
from flatline.domain.quality.article_link_value import DailyLinkValues
from flatline.domain.time import DAY_MS, day_of
from flatline.domain.visibility.visibility import Visibility
from flatline.engine.log_cursor import LogCursor
from flatline.schema.verdict import State, Verdict

StateAndSeries = tuple[State, str | None]  # state and series

# More than one commit can judge. All of these are listed for each task and commit: 20,000 took 12 % of all time.
JUDGED_AT_ONCE_MAX: Final = 4_000


class DueQueue:
    """One that changed is due at once, and any other a day after it was last judged.

    So the order of judging is the order of the queue.

    ``judged_positions``  by topic, the offsets up to which verdicts hold everything: all articles that records before
                          these changed were judged after that
    ``judged_until_ms``   the instant at which last nothing was left to judge
    ``retirements``       which of the retired articles were put into it
    ``tally``             the articles judged so far, by state and series
    ``reputations``         those of the domains that link to them, and ``link_values`` those of the articles' links
    """

    def __init__(
        self,
        keys: Iterable[bytes] = (),
        *,
        judged_positions: Mapping[str, int] | None = None,
        may_have_changed: bool = True,
    ) -> None:
        """All of these are due; any of them ``may_have_changed`` since it was judged."""
        self._due_ms = dict.fromkeys(keys, 0)
        # By the checkpoint that is reached when they are judged. Checkpoints rise in the order of this.
        self._changed: dict[bytes, int] = dict.fromkeys(self._due_ms, 0) if may_have_changed else {}
        self._checkpoints: deque[tuple[int, dict[str, int]]] = deque()
        self._next_checkpoint = 1
        self._kinds: dict[bytes, StateAndSeries] = {}
        self._suppressed: set[bytes] = set()
        self._visibility = Visibility()
        self.retirements = LogCursor()
        self.judged_positions = dict(judged_positions or {})
        self.reputations = DomainReputations()
        self.link_values = DailyLinkValues()
        self.tally: Counter[StateAndSeries] = Counter()
        self.judged_until_ms = 0

    def note_visibility(self, visibility: Visibility) -> None:
        """Take note of what can be seen; when that changes, the suppressed articles are due at once."""
        if visibility != self._visibility:
            self._visibility = visibility
            self.put(self._suppressed)

    def change(self, keys: Iterable[bytes], positions: Mapping[str, int]) -> None:
        """Have articles that changed judged soon. All that records before these positions changed is among them."""
        self.put(keys)
        if not self._checkpoints or self._checkpoints[-1][1] != positions:
            self._checkpoints.append((self._next_checkpoint, dict(positions)))
            self._next_checkpoint += 1
        self._reach_checkpoints()

    def put(self, keys: Iterable[bytes]) -> None:
        """Have articles judged soon."""
        changed, checkpoint = self._changed, self._next_checkpoint
        for key in keys:
            changed.setdefault(key, checkpoint)

    def _reach_checkpoints(self) -> None:
        """Find how far the verdicts are: before the first article that waits."""
        waiting = next(iter(self._changed.values()), self._next_checkpoint)
        while self._checkpoints and self._checkpoints[0][0] < waiting:
            self.judged_positions |= self._checkpoints.popleft()[1]

    def due(self, now_ms: int) -> list[bytes]:
        """Return the articles due by now, at most JUDGED_AT_ONCE_MAX."""
        changed = list(islice(self._changed, JUDGED_AT_ONCE_MAX))
        due = islice(self._due_by(now_ms), JUDGED_AT_ONCE_MAX - len(changed))
        return list(dict.fromkeys(chain(changed, due)))

    def _due_by(self, now_ms: int) -> Iterable[bytes]:
        latest_ms = now_ms + DAY_MS + 1
        for key, due_ms in self._due_ms.items():
            # Later than a day from now is none, unless it was judged by a clock that was ahead.
            if now_ms < due_ms <= latest_ms:
                return
            yield key

    def is_first_of_day(self, key: bytes, now_ms: int) -> bool:
        """Whether an article was not judged before on the UTC day."""
        return day_of(self._due_ms.get(key, 0)) <= day_of(now_ms)  # due a day after it was judged

    def judged(self, key: bytes, verdict: Verdict, *, next_ms: int) -> None:
        """Put an article at the end of the queue, with what was said of it."""
        self._changed.pop(key, None)
        self._due_ms.pop(key, None)
        self._due_ms[key] = next_ms
        (self._suppressed.add if verdict.suppressed else self._suppressed.discard)(key)
        self._count(key, (verdict.state, verdict.series))

    def forget(self, key: bytes) -> None:
        """Take an article out: it is no more."""
        self._changed.pop(key, None)
        self._due_ms.pop(key, None)
        self._suppressed.discard(key)
        self._count(key, None)

    def _count(self, key: bytes, kind: StateAndSeries | None) -> None:
        former = self._kinds.get(key)
        if kind == former:
            return
        if former is not None:
            self.tally[former] -= 1
            del self._kinds[key]
        if kind is not None:
            self.tally[kind] += 1
            self._kinds[key] = kind

    def pass_ended(self, now_ms: int) -> None:
        """Note that all was judged that could be now: verdicts hold what was applied and what was due until now."""
        is_something_left = bool(self._changed) or any(True for _ in self._due_by(now_ms))
        self.judged_until_ms = min(self.judged_until_ms, now_ms - 1) if is_something_left else now_ms
        self._reach_checkpoints()

    def was_judged_since(self, key: bytes, instant_ms: int) -> bool:
        """Whether an article was judged at or after an instant."""
        return self._due_ms.get(key, 0) - DAY_MS >= instant_ms

    def all_judged_since(self, instant_ms: int, *, now_ms: int) -> bool:
        """Whether every article was, by a clock that was not ahead: the first of the queue was judged longest ago."""
        return all(instant_ms <= due_ms - DAY_MS <= now_ms + 1 for due_ms in islice(self._due_ms.values(), 1))
