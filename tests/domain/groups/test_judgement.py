"""Verdicts on groups."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs

from flatline.domain.groups.judgement import judge_group
from flatline.domain.groups.survey import NOTHING, Sums, sums_of
from flatline.domain.groups.totals import GroupTotal
from flatline.domain.groups.weekly_links import (
    JOINED_WEEKS,
    WEEKS,
    WeeklyLinks,
    last_day_of,
)
from flatline.domain.time import DAY_MS
from flatline.schema.group import GroupState, GroupVerdict
from flatline.schema.verdict import State
from tests.domain.groups.surveys import LAST_WEEK, NOW, SERIES, THRESHOLDS


def _total(
    gained: Sequence[float], *, articles: int = 9, unseen_share: float = 0.0, joined_ago: int | None = None
) -> GroupTotal:
    """Return a group with these links by week, the newest first; those before are as many as the last of these.

    ``unseen_share``: of the links of a year, how many are of other articles, which can't be seen since 30 days.
    """
    weeks = [*map(float, gained), *[float(gained[-1])] * (WEEKS - len(gained))]
    unseen_links, joined = sum(weeks[:52]) * unseen_share / (1 - unseen_share), [0.0] * JOINED_WEEKS
    if joined_ago is not None:
        joined[joined_ago] = sum(weeks)
    sums = sums_of(
        articles=articles,
        all_gained=[weeks[0], sum(weeks[:4]), sum(weeks[:13])],
        weekly=WeeklyLinks(weeks, joined),
        unseen_links=unseen_links,
        unseen_link_days=unseen_links * 30,
    )
    return GroupTotal(sums, Counter({State.STEADY: articles}), LAST_WEEK)


def _judge(
    gained: Sequence[float],
    *,
    former: GroupState | None = None,
    articles: int = 9,
    unseen_share: float = 0.0,
    joined_ago: int | None = None,
) -> GroupVerdict:
    total = _total(gained, articles=articles, unseen_share=unseen_share, joined_ago=joined_ago)
    previous = None
    if former:
        previous = structs.replace(
            judge_group(SERIES, total, previous=None, now_ms=0, thresholds=THRESHOLDS, unseen_reason=None),
            state=former,
            unseen_weeks=[],
        )
    return judge_group(SERIES, total, previous=previous, now_ms=NOW * DAY_MS, thresholds=THRESHOLDS, unseen_reason=None)


@pytest.mark.parametrize(
    ("gained", "options", "state", "why"),
    [
        ([3], {}, GroupState.ON_CURVE, "what was expected came"),
        ([0, 0, 0, 0, 3], {}, GroupState.UNDER_CURVE, "nothing for four weeks where twelve links were expected"),
        ([2, 1, 1, 1] * 6 + [3], {}, GroupState.UNDER_CURVE, "each month a little too few, together too many"),
        ([1, 2, 3, 3, 3], {}, GroupState.ON_CURVE, "one weak month is chance"),
        ([12] * 9 + [3], {}, GroupState.ABOVE_CURVE, "four times as many as expected for two months"),
        ([90, *[3] * 9], {}, GroupState.ON_CURVE, "a burst of one week is none of a group's"),
        ([3] * 4 + [60, 40] + [3] * 9, {}, GroupState.ON_CURVE, "nor is its end a decline"),
        ([0, 0, 0, 1], {"articles": 2}, GroupState.NEW, "two articles are no group"),
        ([0] * 8 + [0, 0, 0, 0, 1] * 20, {}, GroupState.NEW, "so little is expected that its absence says nothing"),
        ([0, 0, 0, 0, 3], {"joined_ago": 3}, GroupState.NEW, "the four weeks began before the watch"),
        ([0, 0, 0, 0, 0, 3], {"joined_ago": 4}, GroupState.ON_CURVE, "now with it; but a week ago not yet"),
        ([0, 0, 0, 0, 0, 3], {"joined_ago": 5}, GroupState.UNDER_CURVE, "and a week ago, too"),
        ([0, 0, 0, 2, 3], {}, GroupState.ON_CURVE, "improbable this week, and not yet the week before"),
        ([0, 0, 0, 0, 2, 3], {}, GroupState.UNDER_CURVE, "improbable in two weeks running"),
        ([800] * 8 + [1_000], {}, GroupState.ON_CURVE, "of so many a fifth is improbable, and still no news"),
        ([700] * 8 + [1_000], {}, GroupState.UNDER_CURVE, "a third is"),
        (
            [800] * 8 + [1_000],
            {"former": GroupState.UNDER_CURVE},
            GroupState.UNDER_CURVE,
            "once said, more has to come back",
        ),
        ([3], {"former": GroupState.UNDER_CURVE}, GroupState.ON_CURVE, "it recovered"),
        (
            [0, 0, 0, 0, 0, 3],
            {"former": GroupState.ON_CURVE, "unseen_share": 0.8},
            GroupState.ON_CURVE,
            "its sources can't be seen: no worse",
        ),
        (
            [0, 0, 0, 0, 0, 3],
            {"former": GroupState.ON_CURVE, "unseen_share": 0.2},
            GroupState.UNDER_CURVE,
            "few of its links come from what can't be seen",
        ),
    ],
)
def test_states(gained: list[float], options: dict[str, Any], state: GroupState, why: str) -> None:
    """Each rule with its reason."""
    assert _judge(gained, **options).state is state, why


def test_weeks_that_nobody_saw_are_left_out_for_good() -> None:
    """A source was stale for eight weeks and never reported what it missed: the hole is no decline, then or later.

    Of four links a week, three are of its articles.
    """
    away = range(LAST_WEEK + 1, LAST_WEEK + 9)
    for is_known in (True, False):
        said, verdict = set(), None
        for week in range(LAST_WEEK, LAST_WEEK + 60):
            total = _total([1.0 if week - ago in away else 4.0 for ago in range(WEEKS)])
            if is_known and week in away:
                values = list(_total([1.0]).sums.values)
                values[1:3] = 156.0, 156.0 * 7 * (week - away.start + 1)
                total = total._replace(sums=Sums(values))
            verdict = judge_group(
                SERIES,
                total._replace(last_week=week),
                previous=verdict,
                now_ms=(last_day_of(week) + 1) * DAY_MS,
                thresholds=THRESHOLDS,
                unseen_reason=None,
            )
            said.add(verdict.state)
        assert (said == {GroupState.ON_CURVE}) is is_known
        assert (GroupState.UNDER_CURVE in said) is not is_known
        assert verdict is not None
        assert verdict.unseen_weeks == (list(away) if is_known else [])


@pytest.mark.parametrize("former", [GroupState.UNDER_CURVE, GroupState.ON_CURVE])
def test_a_group_that_cannot_be_seen_at_all_keeps_its_verdict(former: GroupState) -> None:
    """Nothing is known of it: that neither ends an alert nor raises one."""
    previous = structs.replace(_judge([3]), state=former)
    values = list(NOTHING.values)
    values[:3] = 9.0, 156.0, 156.0 * 20
    total = GroupTotal(Sums(values), Counter({State.STEADY: 9}), LAST_WEEK)
    verdict = judge_group(
        SERIES, total, previous=previous, now_ms=NOW * DAY_MS, thresholds=THRESHOLDS, unseen_reason=None
    )
    assert (verdict.state, verdict.suppressed) == (former, True)
    assert "100% of its links can't be seen" in verdict.reason


def test_what_is_held_back_says_why() -> None:
    """Nothing worse is said while the worker lags."""
    steady = _judge([3])
    total = _total([0, 0, 0, 0, 0, 3])
    verdict = judge_group(
        SERIES, total, previous=steady, now_ms=NOW * DAY_MS, thresholds=THRESHOLDS, unseen_reason="nobody looked"
    )
    assert (verdict.state, verdict.suppressed) == (GroupState.ON_CURVE, True)
    assert verdict.reason.endswith(" The verdict is held back because nobody looked.")
