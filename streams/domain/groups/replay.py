"""Groups as they would have been judged in the past: the same rounds, sums and verdicts over known histories."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from flatline.domain.groups.judgement import judge_group
from flatline.domain.groups.survey import Group, Membership, Survey, contribution
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.learned.expectation import expect
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.time import DAY_MS, to_datetime
from flatline.schema.group import GroupKind, GroupPart, GroupVerdict, SurveyRound
from flatline.schema.verdict import State


class MemberHistory(NamedTuple):
    """An article: links by UTC day, in order of days and without imports, and what is registered."""

    article: str
    links: Mapping[int, int]
    strategy: str | None = None
    series: str | None = None
    author: str | None = None
    published_day: int | None = None
    watched_day: int = 0


def _sees_all(_article: str, _day: int) -> bool:
    return False


def replay_groups(
    histories: Sequence[MemberHistory],
    *,
    days: Iterable[int],
    thresholds: Thresholds,
    is_unseen: Callable[[str, int], bool] = _sees_all,
) -> Iterator[GroupVerdict]:
    """Yield the verdicts on all groups at the beginning of each of the days, given in their order.

    Nothing of a later day is known to them, and each learns from the round before. ``is_unseen`` says of an article
    with links whether its usual sources can't be seen at the beginning of a day.
    """
    group_totals = GroupTotals(1)
    verdicts: dict[Group, GroupVerdict] = {}
    for day in days:
        now_ms = day * DAY_MS
        for record in survey_round(histories, group_totals, day, is_unseen):
            group_totals.receive(record)
        for group, total in group_totals.by_group.items():
            if group.kind is not GroupKind.MONTH and total.sums.articles >= thresholds.group_articles_min:
                verdicts[group] = judge_group(
                    group,
                    total,
                    previous=verdicts.get(group),
                    now_ms=now_ms,
                    thresholds=thresholds,
                    unseen_reason=None,
                )
                yield verdicts[group]


def survey_round(
    histories: Iterable[MemberHistory],
    group_totals: GroupTotals,
    day: int,
    is_unseen: Callable[[str, int], bool] = _sees_all,
) -> Iterator[GroupPart | SurveyRound]:
    """Yield the records of a round at the beginning of a day, as the one partition there is."""
    ended_at = to_datetime(day * DAY_MS)
    survey = Survey(day * DAY_MS)
    articles = 0
    for history in histories:
        articles += 1
        past = {linked: count for linked, count in history.links.items() if linked < day}
        if not past:
            continue
        published = history.published_day
        membership = Membership.of(
            history.article,
            strategy=history.strategy,
            series=history.series,
            author=history.author,
            begin_day=next(iter(past)) if published is None else published,
        )
        expectation = expect(
            past,
            published_day=published,
            watched_day=history.watched_day,
            now_days=float(day),
            baseline=group_totals.baseline_of(membership),
        )
        survey.add(membership, contribution(expectation, is_unseen=is_unseen(history.article, day)), State.NEW)
    for group, sums, states in survey.groups():
        yield GroupPart(group.kind, group.name, 0, ended_at, dict(states), list(sums.values))
    yield SurveyRound(0, ended_at, articles, survey.left_out)
