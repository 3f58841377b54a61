"""Surveys of partitions into parts of groups, and parts into verdicts on groups."""

from collections.abc import Callable, Iterator
from time import monotonic
from typing import Final

from streams.agents.listen import Hear
from streams.domain.event_time import to_datetime
from streams.domain.expected.expectation import WINDOWS_DAYS
from streams.domain.groups.census import Census
from streams.domain.groups.cohorts import Cohort, Cohorts
from streams.domain.groups.judgement import is_newer, judge_group, says_the_same
from streams.domain.groups.survey import Group, Survey
from streams.domain.policy import Policy
from streams.engine.log import Outgoing
from streams.schema import codec
from streams.schema.group import GroupKind, GroupPart, GroupVerdict, SurveyRound, Tally
from streams.schema.partitioning import partition_of
from streams.schema.topics import Topics

ROUND_S_MIN: Final = 10.0
"""By the wall: while an import goes on, rounds end as soon as everything known is judged."""


class Groups:
    """The newest verdict on each group, as heard from the topic or said here."""

    def __init__(self) -> None:
        self.verdicts: dict[Group, GroupVerdict] = {}

    def note(self, verdict: GroupVerdict) -> None:
        """Take a verdict in, unless a later one is known."""
        group = Group(verdict.kind, verdict.name)
        if is_newer(verdict, self.verdicts.get(group)):
            self.verdicts[group] = verdict

    @property
    def hear(self) -> Hear:
        """What takes records of the topic in."""
        return lambda _key, value: self.note(codec.groups.decode(value))


class Surveyor:
    """Ends the rounds of one worker's partitions, and judges the groups whose verdict lies on them.

    ``may_judge``  whether the former verdicts on groups are all known
    """

    def __init__(self, *, topics: Topics, policy: Policy, census: Census, groups: Groups) -> None:
        self._topics = topics
        self._policy = policy
        self._census = census
        self._groups = groups
        self._surveys: dict[int, Survey] = {}
        self._ended_s: dict[int, float] = {}
        self._judged: dict[int, int] = {}  # partition -> version of the census
        self._cohorts: Cohorts | None = None
        self._cohorts_version = -1
        self.may_judge: Callable[[], bool] = lambda: True

    def survey(self, number: int, now_ms: int) -> Survey:
        """Return the round of a partition that is under way."""
        return self._surveys.get(number) or self._surveys.setdefault(number, Survey(now_ms))

    def forget(self, number: int) -> None:
        """Give up a partition."""
        for known in (self._surveys, self._ended_s, self._judged):
            known.pop(number, None)

    def owned(self, numbers: frozenset[int]) -> list[GroupVerdict]:
        """Return the verdicts that lie on these partitions."""
        return [verdict for group, verdict in self._groups.verdicts.items() if self._partition(group) in numbers]

    def windows(self, numbers: frozenset[int]) -> dict[int, Tally]:
        """Return what the sites that lie on these partitions should have gained and gained, by days."""
        sites = [
            whole.sums
            for group, whole in self._census.wholes.items()
            if group.kind is GroupKind.SITE and self._partition(group) in numbers
        ]
        return {
            days: Tally(sum(sums.expected[at] for sums in sites), round(sum(sums.gained[at] for sums in sites)))
            for at, days in enumerate(WINDOWS_DAYS)
        }

    def cohorts(self, numbers: frozenset[int], *, months: int, strategies: int) -> list[Cohort]:
        """Return the newest months and the largest strategies that lie on these partitions; all articles lie on 0."""
        if self._cohorts is None or self._cohorts_version != self._census.version:
            self._cohorts, self._cohorts_version = Cohorts(self._census), self._census.version
        groups = [*self._cohorts.newest_months(months), *self._cohorts.largest_strategies(strategies)]
        owned = [self._cohorts.of(group) for group in groups if self._partition(group) in numbers]
        return [self._cohorts.all, *owned] if 0 in numbers else owned

    def settle(self, number: int, *, is_over: bool, is_lagging: bool, now_ms: int) -> Iterator[Outgoing]:
        """Yield what is to be written of a partition: its parts when its round is over, and news of its groups."""
        waited_s = monotonic() - self._ended_s.get(number, -ROUND_S_MIN)
        has_begun = self.survey(number, now_ms).began_ms <= now_ms  # a clock may stand still
        if is_over and has_begun and not is_lagging and waited_s >= ROUND_S_MIN:
            yield from self._end_round(number, now_ms)
        if self._census.is_complete and self.may_judge() and self._judged.get(number) != self._census.version:
            self._judged[number] = self._census.version
            yield from self._judge(number, is_lagging=is_lagging, now_ms=now_ms)

    def _end_round(self, number: int, now_ms: int) -> Iterator[Outgoing]:
        survey = self._surveys.pop(number, None) or Survey(now_ms)
        self._surveys[number] = Survey(now_ms + 1)  # what was judged at this instant belongs to the round that ends
        self._ended_s[number] = monotonic()
        ended_at = to_datetime(now_ms)
        vanished = set(self._census.groups_of(number))
        surveyed = 0
        for group, sums, states in survey.groups():
            surveyed += 1
            vanished.discard(group)
            part = GroupPart(
                group.kind, group.name, number, ended_at, dict(states), [round(value, 4) for value in sums.values]
            )
            yield self._part(f"{number}/{_key(group)}", codec.group_parts.encode(part))
        for group in vanished:
            yield self._part(f"{number}/{_key(group)}", None)
        end = SurveyRound(number, ended_at, surveyed, survey.left_out)
        yield self._part(str(number), codec.survey_rounds.encode(end))

    def _part(self, key: str, value: bytes | None) -> Outgoing:
        return Outgoing(self._topics.group_parts.name, 0, key.encode(), value)

    def _judge(self, number: int, *, is_lagging: bool, now_ms: int) -> Iterator[Outgoing]:
        blind_because = "the worker has not caught up with its records" if is_lagging else None
        verdicts, gone = self._groups.verdicts, {g for g in self._groups.verdicts if self._partition(g) == number}
        for group, whole in self._census.wholes.items():
            if group.kind is GroupKind.MONTH or whole.sums.articles < self._policy.group_articles_min:
                continue
            if self._partition(group) != number:
                continue
            gone.discard(group)
            known = verdicts.get(group)
            verdict = judge_group(
                group, whole, previous=known, now_ms=now_ms, policy=self._policy, blind_because=blind_because
            )
            if not says_the_same(verdict, known):
                verdicts[group] = verdict
                yield Outgoing(self._topics.groups.name, number, _key(group).encode(), codec.groups.encode(verdict))
        for group in gone:
            del verdicts[group]
            yield Outgoing(self._topics.groups.name, number, _key(group).encode(), None)

    def _partition(self, group: Group) -> int:
        return partition_of(_key(group).encode(), self._topics.groups.partitions)


def _key(group: Group) -> str:
    return f"{group.kind}/{group.name}"
