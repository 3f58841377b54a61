"""Verdicts: on articles that changed, and on each article once a day of the clock."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice, takewhile
from time import monotonic
from typing import Final

from streams.clock import Clock
from streams.domain.article import Article
from streams.domain.event_time import to_ms
from streams.domain.judgement import Standing, judge
from streams.domain.policy import Policy
from streams.domain.reporting import digest, verdict_on
from streams.domain.rhythm import DAY_MS, day_of
from streams.domain.sources import Sight, Sources
from streams.domain.watch_list import Watched, WatchList
from streams.engine.batch_writer import Outgoing
from streams.engine.partition import Partition
from streams.schema import codec
from streams.schema.topics import Topics
from streams.schema.verdict import State, Verdict

DUE_AT_ONCE_MAX: Final = 2_000
DUE_BUDGET_S: Final = 0.2  # of a commit, over all partitions


class Docket:
    """The articles of a partition in the order in which they are due.

    Each is due one day after it was last judged, so the order of judging is the order of the queue.
    """

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._due_ms = dict.fromkeys(keys, 0)
        self._states: dict[bytes, tuple[State, str | None]] = {}
        self._suppressed: set[bytes] = set()
        self._sight = Sight()

    def see(self, sight: Sight) -> None:
        """Take note of what can be seen; when that changes, the suppressed articles are due at once."""
        if sight != self._sight:
            self._sight = sight
            if self._suppressed:
                self._due_ms = {**dict.fromkeys(self._suppressed, 0), **self._due_ms}
                self._due_ms.update(dict.fromkeys(self._suppressed, 0))

    def due(self, now_ms: int) -> list[bytes]:
        """Return the articles due by now, at most DUE_AT_ONCE_MAX."""
        due = takewhile(lambda entry: entry[1] <= now_ms, self._due_ms.items())
        return [key for key, _ in islice(due, DUE_AT_ONCE_MAX)]

    def judged(self, key: bytes, verdict: Verdict, *, now_ms: int) -> None:
        """Put an article at the end of the queue, with what was said of it."""
        self._due_ms.pop(key, None)
        self._due_ms[key] = now_ms + DAY_MS
        self._states[key] = verdict.state, verdict.series
        (self._suppressed.add if verdict.suppressed else self._suppressed.discard)(key)

    @property
    def states(self) -> Iterable[tuple[State, str | None]]:
        """State and series of every article judged so far."""
        return self._states.values()

    @property
    def keys(self) -> Iterable[bytes]:
        """All articles of the partition that were judged or are due."""
        return self._due_ms.keys()


class Judge:
    """Settles partitions before a commit: judges what must be judged and yields the verdicts that say something new."""

    def __init__(
        self,
        *,
        topics: Topics,
        clock: Clock,
        policy: Policy,
        sources: Sources,
        watch_list: WatchList,
    ) -> None:
        self._topics = topics
        self._clock = clock
        self._policy = policy
        self._sources = sources
        self._watch_list = watch_list
        self.is_lagging: Callable[[], bool] = lambda: False
        self.dockets: dict[int, Docket] = {}

    def assigned(self, partitions: Mapping[int, Partition], newly: frozenset[int]) -> None:
        """Take over these partitions; in those that are new everything is due."""
        for number in self.dockets.keys() - (partitions.keys() - newly):
            for key in self.dockets.pop(number).keys:
                self._watch_list.forget(key.decode())
        for number in newly:
            self.dockets[number] = Docket(partitions[number])

    def settle(self, number: int, partition: Partition) -> Iterator[Outgoing]:
        """Judge what changed and what is due, and yield the records of new verdicts."""
        now_ms = self._clock.now_ms()
        sight = Sight(self._sources.stale(now_ms), self.is_lagging())
        docket = self.dockets[number]
        docket.see(sight)
        touched = partition.touched
        give_up_at_s = monotonic() + DUE_BUDGET_S / len(self.dockets)
        for key in chain(touched, docket.due(now_ms)):
            if key not in touched and monotonic() > give_up_at_s:
                break  # what is due waits for the next commit: the loop must not be blocked for long
            article = partition.get(key)
            if article is None:
                continue
            verdict = self._judge(key, article, sight, now_ms)
            docket.judged(key, verdict, now_ms=now_ms)
            standing = Standing(verdict.state, to_ms(verdict.since), digest(verdict))
            if standing != article.header.standing:
                article.header.standing = standing
                partition.touch(key)
                yield Outgoing(self._topics.verdicts.name, number, key, codec.verdicts.encode(verdict))

    def _judge(self, key: bytes, article: Article, sight: Sight, now_ms: int) -> Verdict:
        rhythm = article.rhythm
        judgement = judge(
            rhythm,
            watched_since_ms=article.header.watched_since_ms,
            previous=article.header.standing,
            blind_because=sight.blind_because(article.header.sources),
            now_ms=now_ms,
            policy=self._policy,
        )
        verdict = verdict_on(key.decode(), article, judgement, now_ms=now_ms)
        self._watch_list.note(
            Watched(
                verdict,
                link_days=rhythm.link_days if rhythm else 0,
                mean_gap_days=rhythm.mean_gap_days if rhythm else 0.0,
                days_since_last_link=day_of(now_ms) - rhythm.last_day if rhythm else None,
            )
        )
        return verdict
