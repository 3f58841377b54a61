"""Groups as they would have been judged in the past: the same sums and verdicts over known histories."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from operator import sub
from typing import NamedTuple

from flatline.domain.groups.judgement import judge_group
from flatline.domain.groups.survey import YEAR_WEEKS, Group, Membership, Sums, Survey, contribution, sums_of
from flatline.domain.groups.totals import GroupTotal, GroupTotals
from flatline.domain.groups.weekly_links import (
    JOINED_WEEKS,
    WEEKS,
    WeeklyLinks,
    last_day_of,
    last_whole_week,
    week_of,
    weekly_links,
)
from flatline.domain.learned.expectation import WINDOWS_DAYS, expect
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.state.totals import gained_in_days
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


Unseen = Callable[[int], Mapping[str, float]]
"""Says of the beginning of a day which articles can't be seen, and for how many days they could not."""


def _sees_all(_day: int) -> Mapping[str, float]:
    return {}


class _LinkCounts:
    """Links by UTC day, to be counted up to any day."""

    def __init__(self, links: Mapping[int, int]) -> None:
        self._days = sorted(links)
        self._counts = list(accumulate((links[day] for day in self._days), initial=0))

    def between(self, begin_day: int, end_day: int) -> int:
        """Return the links from a day on and before another."""
        return self._counts[bisect_left(self._days, end_day)] - self._counts[bisect_left(self._days, begin_day)]


class _Members:
    """A group's articles."""

    def __init__(self, members: Sequence[MemberHistory]) -> None:
        together, joined = Counter[int](), defaultdict[int, Counter[int]](Counter)
        for member in members:
            together.update(member.links)
            joined[member.watched_day].update(
                {day: links for day, links in member.links.items() if day < member.watched_day}
            )
        self._links = _LinkCounts(together)
        self._before_watch = {watched_day: _LinkCounts(links) for watched_day, links in joined.items()}
        self._begin_days = sorted(next(iter(member.links)) for member in members)
        self._first_week = week_of(self._begin_days[0])
        by_week = Counter[int]()
        for day, links in together.items():
            by_week[week_of(day)] += links
        self._by_week = [float(by_week[week]) for week in range(self._first_week, max(by_week) + 1)]

    def sums(self, day: int, unseen: Iterable[tuple[MemberHistory, float]]) -> Sums:
        """Return what they add up to at the beginning of a day.

        ``unseen``: those that can't be seen, and for how many days they could not.
        """
        last_week = last_whole_week(day * DAY_MS)
        end = last_week + 1 - self._first_week
        newest_first = self._by_week[max(0, end - WEEKS) : max(0, end)][::-1]
        gained = ([0.0] * max(0, end - len(self._by_week)) + newest_first)[:WEEKS]
        gained += [0.0] * (WEEKS - len(gained))
        all_gained = [self._links.between(day - days, day) for days in WINDOWS_DAYS]
        joined = [0.0] * JOINED_WEEKS
        begin_day = last_day_of(last_week - WEEKS) + 1
        for watched_day, links in self._before_watch.items():
            ago = max(last_week - week_of(watched_day), 0)
            if ago < JOINED_WEEKS and watched_day < day:
                joined[ago] += links.between(begin_day, watched_day)
        unseen_links, unseen_link_days = 0, 0.0
        for member, unseen_days in unseen:
            past = {linked: links for linked, links in member.links.items() if linked < day}
            weekly = weekly_links(past, watched_day=member.watched_day, last_week=last_week)
            gained = list(map(sub, gained, weekly.gained))
            if member.watched_day < day:
                joined = list(map(sub, joined, weekly.joined))
            lately = (gained_in_days(past, days, today=day - 1) for days in WINDOWS_DAYS)
            all_gained = list(map(sub, all_gained, lately))
            of_year = round(sum(weekly.gained[:YEAR_WEEKS]))
            unseen_links += of_year
            unseen_link_days += of_year * unseen_days
        return sums_of(
            articles=bisect_left(self._begin_days, day),
            all_gained=all_gained,
            weekly=WeeklyLinks(gained, joined),
            unseen_links=unseen_links,
            unseen_link_days=unseen_link_days,
        )


def replay_groups(
    histories: Sequence[MemberHistory], *, days: Iterable[int], thresholds: Thresholds, unseen: Unseen = _sees_all
) -> Iterator[GroupVerdict]:
    """Yield the verdicts on all groups at the beginning of each of the days, given in their order.

    Nothing of a later day is known to them.
    """
    histories = [history for history in histories if history.links]
    by_group: dict[Group, list[MemberHistory]] = {}
    groups_of: dict[str, list[Group]] = {}
    for history in histories:
        groups = [group for group in _membership(history).groups if group.kind is not GroupKind.MONTH]
        groups_of[history.article] = groups
        for group in groups:
            by_group.setdefault(group, []).append(history)
    members = {
        group: _Members(known) for group, known in by_group.items() if len(known) >= thresholds.group_articles_min
    }
    by_article = {history.article: history for history in histories}
    verdicts: dict[Group, GroupVerdict] = {}
    for day in days:
        unseen_members: dict[Group, list[tuple[MemberHistory, float]]] = {}
        for article, unseen_days in unseen(day).items():
            for group in groups_of[article]:
                unseen_members.setdefault(group, []).append((by_article[article], unseen_days))
        for group, known in members.items():
            sums = known.sums(day, unseen_members.get(group, ()))
            if sums.articles < thresholds.group_articles_min:
                continue
            verdicts[group] = judge_group(
                group,
                GroupTotal(sums, {State.NEW: sums.articles}, last_whole_week(day * DAY_MS)),
                previous=verdicts.get(group),
                now_ms=day * DAY_MS,
                thresholds=thresholds,
                unseen_reason=None,
            )
            yield verdicts[group]


def _membership(history: MemberHistory) -> Membership:
    published = history.published_day
    return Membership.of(
        history.article,
        strategy=history.strategy,
        series=history.series,
        author=history.author,
        begin_day=next(iter(history.links)) if published is None else published,
    )


def survey_round(
    histories: Iterable[MemberHistory],
    group_totals: GroupTotals,
    day: int,
    *,
    unseen: Mapping[str, float] | None = None,
) -> Iterator[GroupPart | SurveyRound]:
    """Yield the records of a round at the beginning of a day, as the one partition there is.

    ``unseen``: the articles that can't be seen, and for how many days they could not.
    """
    ended_at = to_datetime(day * DAY_MS)
    survey = Survey(day * DAY_MS)
    articles = 0
    for history in histories:
        articles += 1
        past = {linked: count for linked, count in history.links.items() if linked < day}
        if not past:
            continue
        membership = _membership(history)
        expectation = expect(
            past,
            published_day=history.published_day,
            watched_day=history.watched_day,
            now_days=float(day),
            baseline=group_totals.baseline_of(membership),
        )
        values = contribution(
            expectation,
            past,
            watched_day=history.watched_day,
            last_week=survey.last_week,
            now_ms=day * DAY_MS,
            unseen_days=(unseen or {}).get(history.article),
        )
        survey.add(membership, values, State.NEW)
    for group, sums, states in survey.groups():
        yield GroupPart(group.kind, group.name, 0, ended_at, dict(states), list(sums.values), survey.last_week)
    yield SurveyRound(0, ended_at, articles, survey.left_out)
