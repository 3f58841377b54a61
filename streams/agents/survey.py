"""Publishes the survey of a partition as parts of groups, and verdicts on groups."""

from collections.abc import Iterator
from time import monotonic
from typing import Final

from flatline.domain.groups.cohorts import Cohort, Cohorts
from flatline.domain.groups.judgement import is_newer, is_unchanged, judge_group
from flatline.domain.groups.survey import Group, Survey
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.learned.expectation import WINDOWS_DAYS
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.time import to_datetime
from flatline.engine.log import Outgoing
from flatline.engine.task import Task
from flatline.schema import codec
from flatline.schema.group import GroupKind, GroupPart, GroupVerdict, SurveyRound, Tally
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import Topics

ROUND_S_MIN: Final = 10.0
"""By the wall: while an import goes on, rounds end as soon as everything known is judged."""


class GroupVerdicts:
    """The newest verdict on each group, from the topic or from this worker."""

    def __init__(self) -> None:
        self.verdicts: dict[Group, GroupVerdict] = {}

    def note(self, verdict: GroupVerdict) -> None:
        """Take a verdict in, unless a later one is known."""
        group = Group(verdict.kind, verdict.name)
        if is_newer(verdict, self.verdicts.get(group)):
            self.verdicts[group] = verdict

    def receive(self, _key: bytes, value: bytes | None, _recorded_ms: int) -> None:
        """Take a record of the topic. Raise `Rejected` for one that can't be read."""
        if value is not None:
            self.note(codec.groups.decode(value))


class Surveyor:
    """Ends the rounds of tasks, and judges the groups whose verdict lies on their partitions."""

    def __init__(
        self, *, topics: Topics, thresholds: Thresholds, group_totals: GroupTotals, groups: GroupVerdicts
    ) -> None:
        self._topics = topics
        self._thresholds = thresholds
        self._group_totals = group_totals
        self._groups = groups
        self._cohorts: Cohorts | None = None
        self._cohorts_version = -1

    @staticmethod
    def round_of(task: Task, now_ms: int) -> Survey:
        """Return the round of a task that is under way."""
        survey = task.rounds.current
        # It began in the future by a clock that was ahead; right after another one, it begins a millisecond later.
        if survey is None or survey.began_ms > now_ms + 1:
            survey = task.rounds.current = Survey(now_ms)
        return survey

    def owned(self, numbers: frozenset[int]) -> list[GroupVerdict]:
        """Return the verdicts that lie on these partitions."""
        return [verdict for group, verdict in self._groups.verdicts.items() if self._partition(group) in numbers]

    def windows(self, numbers: frozenset[int]) -> dict[int, Tally]:
        """Return what the sites that lie on these partitions should have gained and gained, by days."""
        sites = [
            total.sums
            for group, total in self._group_totals.by_group.items()
            if group.kind is GroupKind.SITE and self._partition(group) in numbers
        ]
        return {
            days: Tally(sum(sums.expected[at] for sums in sites), round(sum(sums.gained[at] for sums in sites)))
            for at, days in enumerate(WINDOWS_DAYS)
        }

    def cohorts(self, numbers: frozenset[int], *, months: int, strategies: int) -> list[Cohort]:
        """Return the newest months and the largest strategies that lie on these partitions; all articles lie on 0."""
        if self._cohorts is None or self._cohorts_version != self._group_totals.version:
            self._cohorts, self._cohorts_version = Cohorts(self._group_totals), self._group_totals.version
        groups = [*self._cohorts.newest_months(months), *self._cohorts.largest_strategies(strategies)]
        owned = [self._cohorts.of(group) for group in groups if self._partition(group) in numbers]
        return [self._cohorts.all, *owned] if 0 in numbers else owned

    def advance(self, task: Task, *, is_lagging: bool, may_judge_groups: bool, now_ms: int) -> None:
        """Have said what is to be written of a task: its parts when its round is over, and news of its groups.

        ``may_judge_groups``: whether the former verdicts on them are all known.
        """
        rounds, survey = task.rounds, self.round_of(task, now_ms)
        waited_s = ROUND_S_MIN if rounds.ended_s is None else monotonic() - rounds.ended_s
        is_over = survey.began_ms <= now_ms and task.due.all_judged_since(survey.began_ms, now_ms=now_ms)
        if is_over and not is_lagging and waited_s >= ROUND_S_MIN:
            task.unpublished += self._end_round(task, survey, now_ms)
        if self._group_totals.is_complete and may_judge_groups and rounds.judged_version != self._group_totals.version:
            rounds.judged_version = self._group_totals.version
            task.unpublished += self._judge(task.number, is_lagging=is_lagging, now_ms=now_ms)

    def _end_round(self, task: Task, survey: Survey, now_ms: int) -> Iterator[Outgoing]:
        number = task.number
        # What was judged at this instant belongs to the round that ends.
        task.rounds.current, task.rounds.ended_s = Survey(now_ms + 1), monotonic()
        ended_at = to_datetime(now_ms)
        vanished = set(self._group_totals.groups_of(number))
        surveyed = 0
        for group, sums, states in survey.groups():
            surveyed += 1
            vanished.discard(group)
            part = GroupPart(
                group.kind,
                group.name,
                number,
                ended_at,
                dict(states),
                [round(value, 4) for value in sums.values],
                survey.last_week,
            )
            yield self._part(f"{number}/{_key(group)}", codec.group_parts.encode(part))
        for group in vanished:
            yield self._part(f"{number}/{_key(group)}", None)
        end = SurveyRound(number, ended_at, surveyed, survey.left_out)
        yield self._part(str(number), codec.survey_rounds.encode(end))

    def _part(self, key: str, value: bytes | None) -> Outgoing:
        return Outgoing(self._topics.group_parts.name, 0, key.encode(), value)

    def _judge(self, number: int, *, is_lagging: bool, now_ms: int) -> Iterator[Outgoing]:
        unseen_reason = "the worker has not caught up with its records" if is_lagging else None
        verdicts, gone = self._groups.verdicts, {g for g in self._groups.verdicts if self._partition(g) == number}
        for group, total in self._group_totals.by_group.items():
            if group.kind is GroupKind.MONTH or total.sums.articles < self._thresholds.group_articles_min:
                continue
            if self._partition(group) != number:
                continue
            gone.discard(group)
            known = verdicts.get(group)
            verdict = judge_group(
                group, total, previous=known, now_ms=now_ms, thresholds=self._thresholds, unseen_reason=unseen_reason
            )
            if not is_unchanged(verdict, known):
                verdicts[group] = verdict
                yield Outgoing(self._topics.groups.name, number, _key(group).encode(), codec.groups.encode(verdict))
        for group in gone:
            del verdicts[group]
            yield Outgoing(self._topics.groups.name, number, _key(group).encode(), None)

    def _partition(self, group: Group) -> int:
        return partition_of(_key(group).encode(), self._topics.groups.partitions)


def _key(group: Group) -> str:
    return f"{group.kind}/{group.name}"
