"""Verdicts: on articles that changed, and on each article once a day of the clock."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice, takewhile
from time import monotonic
from typing import Final

from streams.agents.survey import Surveyor
from streams.clock import Clock
from streams.domain.appraisal import appraise
from streams.domain.article import Article
from streams.domain.groups.census import Census
from streams.domain.groups.survey import Survey, contribution, membership_of
from streams.domain.judgement import Judgement
from streams.domain.policies import Policies
from streams.domain.quality.article_worth import DailyWorth
from streams.domain.quality.standing import Standings
from streams.domain.quality.worth import Worth
from streams.domain.rhythm import DAY_MS, day_of
from streams.domain.sight.sight import Sight
from streams.domain.sight.sources import Sources
from streams.domain.verdicts import digest
from streams.domain.watch_list import Watched, WatchList
from streams.engine.log import Outgoing
from streams.engine.partition import Partition
from streams.schema import codec
from streams.schema.topics import Topics
from streams.schema.verdict import State, Verdict

Kind = tuple[State, str | None]  # state and series

JUDGED_AT_ONCE_MAX: Final = 20_000
# Of a commit, over all partitions; what is due beyond that waits for the next one, so that the loop is not blocked.
BUDGET_S: Final = 0.5
BUDGET_WHILE_LAGGING_S: Final = 0.05


class Docket:
    """The articles of a partition in the order in which they are due.

    One that changed is due at once, and any other a day after it was last judged, so the order of judging is the order
    of the queue. ``tally`` counts the articles judged so far by state and series; ``standings`` are those of the
    domains that link to them. ``judged_until_ms`` is the instant at which last nothing was left to judge.
    """

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._changed: dict[bytes, None] = {}
        self._due_ms = dict.fromkeys(keys, 0)
        self._kinds: dict[bytes, Kind] = {}
        self._suppressed: set[bytes] = set()
        self._sight = Sight()
        self.standings = Standings()
        self.worth = DailyWorth()
        self.tally: Counter[Kind] = Counter()
        self.judged_until_ms = 0

    def see(self, sight: Sight) -> None:
        """Take note of what can be seen; when that changes, the suppressed articles are due at once."""
        if sight != self._sight:
            self._sight = sight
            self._changed.update(dict.fromkeys(self._suppressed))

    def change(self, keys: Iterable[bytes]) -> None:
        """Have articles that changed judged soon."""
        self._changed.update(dict.fromkeys(keys))

    def due(self, now_ms: int) -> list[bytes]:
        """Return the articles due by now, at most JUDGED_AT_ONCE_MAX."""
        due = (key for key, _ in takewhile(lambda entry: entry[1] <= now_ms, self._due_ms.items()))
        return list(islice(dict.fromkeys(chain(self._changed, due)), JUDGED_AT_ONCE_MAX))

    def is_first_of_day(self, key: bytes, now_ms: int) -> bool:
        """Whether an article was not judged before on the UTC day."""
        return day_of(self._due_ms.get(key, 0)) <= day_of(now_ms)  # due a day after it was judged

    def judged(self, key: bytes, verdict: Verdict, *, next_ms: int) -> None:
        """Put an article at the end of the queue, with what was said of it."""
        self._changed.pop(key, None)
        self._due_ms.pop(key, None)
        self._due_ms[key] = next_ms
        (self._suppressed.add if verdict.suppressed else self._suppressed.discard)(key)
        kind, former = (verdict.state, verdict.series), self._kinds.get(key)
        if kind != former:
            if former is not None:
                self.tally[former] -= 1
            self.tally[kind] += 1
            self._kinds[key] = kind

    def settled(self, now_ms: int) -> None:
        """Note that all was judged that could be now: verdicts hold what was applied and what was due until now."""
        is_something_left = bool(self._changed) or any(due <= now_ms for due in islice(self._due_ms.values(), 1))
        self.judged_until_ms = min(self.judged_until_ms, now_ms - 1) if is_something_left else now_ms

    def was_judged_since(self, key: bytes, instant_ms: int) -> bool:
        """Whether an article was judged at or after an instant."""
        return self._due_ms.get(key, 0) - DAY_MS >= instant_ms

    def all_judged_since(self, instant_ms: int) -> bool:
        """Whether every article was: the first of the queue was judged longest ago."""
        return all(due_ms - DAY_MS >= instant_ms for due_ms in islice(self._due_ms.values(), 1))

    @property
    def keys(self) -> Iterable[bytes]:
        """All articles of the partition that were judged or are due."""
        return self._due_ms.keys() | self._changed.keys()


class Judge:
    """Settles partitions before a commit: judges what must be judged and yields the verdicts that say something new."""

    def __init__(
        self,
        *,
        topics: Topics,
        clock: Clock,
        policies: Policies,
        sources: Sources,
        watch_list: WatchList,
        census: Census,
        surveyor: Surveyor,
    ) -> None:
        self._topics = topics
        self._clock = clock
        self._policies = policies
        self._sources = sources
        self._watch_list = watch_list
        self._census = census
        self._surveyor = surveyor
        self.is_lagging: Callable[[], bool] = lambda: False
        self.dockets: dict[int, Docket] = {}

    def assigned(self, partitions: Mapping[int, Partition], newly: frozenset[int]) -> None:
        """Take over these partitions; in those that are new everything is due."""
        for number in self.dockets.keys() - (partitions.keys() - newly):
            for key in self.dockets.pop(number).keys:
                self._watch_list.forget(key.decode())
            self._surveyor.forget(number)
        for number in newly:
            self.dockets[number] = Docket(partitions[number])
        self._sources.listen_to(partition.heard for partition in partitions.values())

    def settle(self, number: int, partition: Partition) -> Iterator[Outgoing]:
        """Judge what changed and what is due, and yield the records of new verdicts."""
        docket = self.dockets.get(number)
        if docket is None:
            return  # taken over, but not everything that was assigned is
        now_ms = self._clock.now_ms()
        sight = self._sources.sight(now_ms, is_lagging=self.is_lagging())
        docket.see(sight)
        docket.change(article.key for article in partition.dirty)
        budget_s = BUDGET_WHILE_LAGGING_S if sight.is_lagging else BUDGET_S
        give_up_at_s = monotonic() + budget_s / len(self.dockets)
        docket.standings.begin(day_of(now_ms))
        survey = self._surveyor.survey(number, now_ms)
        next_ms = max(now_ms, survey.began_ms) + DAY_MS
        for key in docket.due(now_ms):
            if monotonic() > give_up_at_s:
                break
            article = partition.peek(key)
            if article is None:
                continue
            is_first_of_day = docket.is_first_of_day(key, now_ms)
            if is_first_of_day:
                docket.standings.add(article.segments)
            is_surveyed = docket.was_judged_since(key, survey.began_ms)
            worth = docket.worth.worth(
                article,
                quality_min=self._policies.of(article.header.registration.tier).worthy_quality,
                standing_of=docket.standings,
                may_be_of_today=not is_first_of_day,
            )
            judgement, verdict = self._judge(article, sight, worth, now_ms, None if is_surveyed else survey)
            docket.judged(key, verdict, next_ms=next_ms)
            standing = judgement.standing(digest(verdict))
            if standing != article.header.standing:
                article.header.standing = standing
                partition.put(article)
                yield Outgoing(self._topics.verdicts.name, number, key, codec.verdicts.encode(verdict))
        docket.settled(now_ms)
        is_over = docket.all_judged_since(survey.began_ms)
        yield from self._surveyor.settle(number, is_over=is_over, is_lagging=sight.is_lagging, now_ms=now_ms)

    def _judge(
        self, article: Article, sight: Sight, worth: Worth, now_ms: int, survey: Survey | None
    ) -> tuple[Judgement, Verdict]:
        """Judge an article, and add it to the survey where one is given."""
        rhythm, membership = article.rhythm, membership_of(article)
        expectation, evidence, judgement, verdict = appraise(
            article,
            sight,
            worth=worth,
            kind=self._census.kind_of(membership),
            policies=self._policies,
            previous=article.header.standing,
            now_ms=now_ms,
        )
        if survey is not None:
            survey.add(membership, contribution(expectation, is_blind=evidence.view.is_dim), verdict.state)
        self._watch_list.note(
            Watched(
                verdict,
                mean_gap_days=rhythm.mean_gap_days if rhythm else 0.0,
                days_since_last_link=day_of(now_ms) - rhythm.last_day if rhythm else None,
                is_unseen=evidence.view.is_blind or verdict.suppressed,
            )
        )
        return judgement, verdict
