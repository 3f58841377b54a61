"""Groups: parts sum to the total, slow declines are found, steady groups are left alone."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from math import exp
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from flatline.domain.groups.judgement import judge_group
from flatline.domain.groups.replay import MemberHistory, replay_groups, survey_round
from flatline.domain.groups.survey import GROUPS_MAX, NOTHING, Group, Membership, Sums, Survey, contribution, sums_of
from flatline.domain.groups.totals import STRATEGY_LINKS_MIN, GroupTotal, GroupTotals
from flatline.domain.groups.weekly_links import (
    JOINED_WEEKS,
    WEEKS,
    WeeklyLinks,
    last_day_of,
    last_whole_week,
    watched_weeks,
    week_of,
)
from flatline.domain.learned.curve import PRIOR
from flatline.domain.learned.expectation import Baseline, expect
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.time import DAY_MS, day_of, to_ms
from flatline.schema import codec
from flatline.schema.group import GroupKind, GroupPart, GroupState, GroupVerdict, SurveyRound
from flatline.schema.rejection import Rejected
from flatline.schema.verdict import State

THRESHOLDS = Thresholds()
NOW = 20_000
LAST_WEEK = last_whole_week(NOW * DAY_MS)
THEN = datetime(2026, 6, 1, tzinfo=UTC)
SERIES = Group(GroupKind.SERIES, "Field Notes")

members = st.tuples(
    st.sampled_from([None, "guest posts", "news"]),
    st.sampled_from([None, "Field Notes", "Tides"]),
    st.dictionaries(st.integers(NOW - 2_000, NOW - 1), st.integers(1, 3), max_size=12),
    st.integers(0, 3),  # its partition
)


def _membership(strategy: str | None, series: str | None) -> Membership:
    return Membership.of(
        "https://blog.yours.example/a", strategy=strategy, series=series, author="Ann", begin_day=NOW - 40
    )


def _survey(articles: Sequence[tuple[str | None, str | None, dict[int, int], int]]) -> Survey:
    survey = Survey(0)
    for strategy, series, days, _ in articles:
        expectation = expect(
            dict(sorted(days.items())), published_day=None, watched_day=0, now_days=NOW, baseline=Baseline()
        )
        values = contribution(
            expectation, dict(sorted(days.items())), watched_day=0, last_week=LAST_WEEK, now_ms=NOW * DAY_MS
        )
        survey.add(_membership(strategy, series), values, State.STEADY)
    return survey


def _records(survey: Survey, partition: int, at: datetime = THEN) -> list[GroupPart | SurveyRound]:
    parts = [
        GroupPart(*group, partition, at, dict(states), list(sums.values), LAST_WEEK)
        for group, sums, states in survey.groups()
    ]
    return [*parts, SurveyRound(partition, at, len(parts))]


def _group_totals(partitions: int, records: Sequence[GroupPart | SurveyRound]) -> GroupTotals:
    group_totals = GroupTotals(partitions)
    for record in records:
        group_totals.receive(record)
    return group_totals


@given(st.lists(members, max_size=25))
def test_parts_sum_to_the_whole(articles: list[tuple[str | None, str | None, dict[int, int], int]]) -> None:
    """However articles lie on partitions, and however often a record is received, groups add up to the same."""
    records = [r for n in range(4) for r in _records(_survey([a for a in articles if a[3] == n]), n)]
    together = _group_totals(1, _records(_survey(articles), 0)).by_group
    apart = _group_totals(4, records + records).by_group
    assert apart.keys() == together.keys()
    for group, total in together.items():
        assert apart[group].sums.values == pytest.approx(total.sums.values)
        assert apart[group].states == total.states == {State.STEADY: total.sums.articles}


def test_a_new_round_takes_the_place_of_the_one_before() -> None:
    """A group that vanished from a partition is gone, and what compaction left of an older round counts for nothing."""
    before = _records(_survey([(None, "Field Notes", {NOW - 9: 1}, 0)]), 0)
    after = _records(_survey([(None, "Tides", {NOW - 9: 1}, 0)]), 0, THEN + timedelta(days=1))
    for records in (before + after, before[:-1] + after, after + before):
        group_totals = _group_totals(1, records)
        assert {group.name for group in group_totals.by_group if group.kind is GroupKind.SERIES} == {"Tides"}


def test_a_former_workers_round_does_no_harm() -> None:
    """Its sums have another order, and no last week: the partition counts as before, and other partitions whole."""
    articles = [_records(_survey([(None, "Field Notes", {NOW - 9: 1}, 0)] * 3), number) for number in (0, 1)]
    later = THEN + timedelta(days=1)
    former = [
        structs.replace(record, last_week=0, sums=[7.0] * 60) if isinstance(record, GroupPart) else record
        for record in _records(_survey([(None, "Field Notes", {NOW - 9: 1}, 0)]), 1, later)
    ]
    group_totals = _group_totals(2, [*articles[0], *former])
    assert not group_totals.is_complete
    for record in (*articles[1], *former):
        group_totals.receive(record)
    assert group_totals.is_complete
    assert group_totals.by_group == _group_totals(2, [*articles[0], *articles[1]]).by_group


def test_a_census_is_complete_with_its_last_partition() -> None:
    """Before that groups look smaller than they are, and nothing is learned."""
    group_totals = _group_totals(2, _records(_survey([(None, None, {NOW - 9: 1}, 0)]), 0))
    assert not group_totals.is_complete
    group_totals.receive(SurveyRound(1, THEN, 0))
    assert group_totals.is_complete


def test_a_strategy_has_a_curve_of_its_own_when_it_has_enough_links() -> None:
    """Below, its articles are expected to do as their site's."""
    late = {NOW - 2_000: 1, NOW - 900: 1, NOW - 800: 1, NOW - 700: 1, NOW - 600: 1}
    for articles, own in ((STRATEGY_LINKS_MIN // 4 + 1, True), (10, False)):
        group_totals = _group_totals(1, _records(_survey([("news", None, late, 0)] * articles), 0))
        baseline = group_totals.baseline_of(_membership("news", None))
        assert baseline.curve.share(90) < PRIOR.share(90)
        assert (baseline is group_totals.baseline_of(_membership(None, None))) is not own


def test_the_largest_groups_are_kept() -> None:
    """Names without end leave the group with many articles in, and what has no room is counted."""
    survey = Survey(0)
    for number in range(5 * GROUPS_MAX):
        for series in (f"series {number}", "Field Notes"):
            survey.add(_membership(None, series), NOTHING.values, State.NEW)
    groups = {group.name: sums for group, sums, _ in survey.groups()}
    assert len(groups) == GROUPS_MAX
    assert "Field Notes" in groups
    assert survey.left_out > GROUPS_MAX


def _contribution(days: dict[int, int], *, watched: int = 5_000, unseen_days: float | None = None) -> Sums:
    expectation = expect(days, published_day=None, watched_day=NOW - watched, now_days=NOW, baseline=Baseline())
    assert expectation is not None
    return Sums(
        contribution(
            expectation,
            days,
            watched_day=NOW - watched,
            last_week=LAST_WEEK,
            now_ms=NOW * DAY_MS,
            unseen_days=unseen_days,
        )
    )


def test_articles_that_cannot_be_seen_are_left_out() -> None:
    """With their past: how many links they brought and for how long they could not be seen is all that counts."""
    days = {NOW - age: 1 for age in range(900, 9, -5)}
    seen, unseen = _contribution(days), _contribution(days, unseen_days=9.0)
    assert (seen.unseen_share, unseen.unseen_share, unseen.unseen_days) == (0, 1, 9)
    assert sum(seen.weekly.gained) == pytest.approx(len(days), abs=1)
    assert (seen.articles, unseen.articles) == (1, 1)
    assert not any(unseen.values[3:])
    both = Sums([one + other for one, other in zip(seen.values, unseen.values, strict=True)])
    assert both.unseen_share == 0.5


@given(st.dictionaries(st.integers(NOW - 1_500, NOW - 1), st.integers(1, 3), min_size=1, max_size=30))
def test_all_links_count_the_first_ones_too(links: dict[int, int]) -> None:
    """By week from Monday to Sunday, as a calendar has them, and in the last days."""
    sums = _contribution(dict(sorted(links.items())))
    end = date(1970, 1, 1) + timedelta(days=last_day_of(LAST_WEEK))
    assert end.isoweekday() == 7
    for ago, gained in enumerate(sums.weekly.gained):
        week = (end - timedelta(weeks=ago)).isocalendar()[:2]
        expected = sum(n for day, n in links.items() if (date(1970, 1, 1) + timedelta(day)).isocalendar()[:2] == week)
        assert gained == expected
    assert sums.all_gained[1] == sum(n for day, n in links.items() if day >= NOW - 28)


def test_the_week_that_is_the_last_in_all_partitions_counts() -> None:
    """The rounds of two partitions end on both sides of a Sunday: the newer one's week waits for the other's."""
    days = {NOW - age: 1 for age in range(300, 0, -7)}
    values = list(_contribution(days).values)
    newer = list(_contribution({day + 7: n for day, n in days.items()}).values)
    parts = [
        GroupPart(SERIES.kind, SERIES.name, number, THEN, {}, sums, LAST_WEEK + number)
        for number, sums in enumerate((values, newer))
    ]
    totals = _group_totals(2, [*parts, SurveyRound(0, THEN, 1), SurveyRound(1, THEN, 1)])
    total = totals.by_group[SERIES]
    assert total.last_week == LAST_WEEK
    # The weeks are counted back from the newer round's own: its links of the last week are left out.
    assert list(total.sums.weekly.gained[:40]) == [
        one + other for one, other in zip(values[-182:-142], newer[-181:-141], strict=True)
    ]


def test_what_was_before_the_watch_is_no_news() -> None:
    """A history that was imported is known to belong to the time before; single late articles move nothing."""
    days = {NOW - age: 1 for age in range(900, 90, -5)}
    for watched in (0, 10, 27, 28, 60, 150):
        whole_weeks = LAST_WEEK - week_of(NOW - watched)
        assert watched_weeks(_contribution(days, watched=watched).weekly) == max(0, whole_weeks)
    assert watched_weeks(_contribution(days).weekly) == JOINED_WEEKS
    late = _contribution({NOW - 500: 1}, watched=10)
    together = Sums([one + other for one, other in zip(_contribution(days).values, late.values, strict=True)])
    assert watched_weeks(together.weekly) == JOINED_WEEKS


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


@pytest.mark.parametrize("share", [0.1, 0.4, 0.8])
def test_a_crawler_that_dies_makes_no_decline(share: float) -> None:
    """However large its part: the other articles are judged meanwhile, and told if they die and were more than half."""
    histories = [
        MemberHistory(f"https://yours.example/{n}", dict.fromkeys(range(n, 1_825, 12), 1), series="Field Notes")
        for n in range(20)
    ]
    lost = len(histories) * share
    silent = [
        history._replace(links={day: links for day, links in history.links.items() if number >= lost or day < 1_500})
        for number, history in enumerate(histories)
    ]
    unseen = {history.article for history in silent[: round(lost)]}

    def states(known: list[MemberHistory], *, is_known: bool) -> set[GroupState]:
        return {
            verdict.state
            for verdict in replay_groups(
                known,
                days=range(1_495, 1_670, 7),
                thresholds=THRESHOLDS,
                unseen=lambda day: dict.fromkeys(unseen, day - 1_500.0) if is_known and day > 1_507 else {},
            )
            if verdict.kind is GroupKind.SERIES
        }

    assert states(silent, is_known=True) == {GroupState.ON_CURVE}
    if share > 1 - THRESHOLDS.group_ratio:
        assert GroupState.UNDER_CURVE in states(silent, is_known=False)
    died = [
        history._replace(links={day: links for day, links in history.links.items() if day < 1_600})
        for history in silent
    ]
    assert (GroupState.UNDER_CURVE in states(died, is_known=True)) is (share <= THRESHOLDS.group_blind_share)


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


def portfolio(seed: int, decline: float, *, clumps: float = 0.0) -> list[MemberHistory]:
    """Return a simulated series: 20 articles, evergreens and faders, some 40 links a quarter.

    From day 1,460 on its rate falls by ``decline`` over six months. ``clumps``: how often a link brings others along.
    """
    rng = random.Random(seed)
    histories = []
    weights = [rng.gammavariate(1, 1) for _ in range(20)]
    for number, weight in enumerate(weights):
        begin, is_evergreen = rng.randrange(730), rng.random() < 0.6
        links: dict[int, int] = {}
        for day in range(begin, 1_825):
            rate = 0.45 * weight / sum(weights)
            if not is_evergreen:
                rate *= 0.25 + 6 * exp((begin - day) / 120)
            rate *= 1 - decline * min(1.0, max(0.0, (day - 1_460) / 182))
            while rng.random() < rate:
                rate -= 1
                links[day] = links.get(day, 0) + (1 + rng.randrange(4) if rng.random() < clumps else 1)
        histories.append(MemberHistory(f"https://yours.example/{number}", links, series="Field Notes"))
    return histories


def first_alarm(histories: list[MemberHistory], since: int, *, step: int = 7) -> int | None:
    """Return the first day of the last years on which the series is said to be under its curve."""
    days = range(since, 1_825, step)
    for verdict in replay_groups(histories, days=days, thresholds=THRESHOLDS):
        if verdict.kind is GroupKind.SERIES and verdict.state is GroupState.UNDER_CURVE:
            return day_of(to_ms(verdict.judged_at))
    return None


def test_slow_declines_are_found_and_steady_series_left_alone() -> None:
    """A rate that falls by half over six months is found within a year mostly; of steady ones few are accused.

    At most a false alarm in four group-years.
    """
    declining = [first_alarm(portfolio(seed, 0.5), since=1_400) for seed in range(12)]
    steady = [first_alarm(portfolio(seed, 0.0), since=1_095) for seed in range(12)]
    assert sum(day is not None and day >= 1_460 for day in declining) >= 9
    assert sum(day is not None for day in steady) <= 6


def test_a_series_that_dies_is_found_at_once() -> None:
    """Nothing comes any more: said within weeks, with clumps as well."""
    for seed in range(4):
        died = [
            history._replace(links={day: links for day, links in history.links.items() if day < 1_500})
            for history in portfolio(seed, 0.0, clumps=0.3)
        ]
        day = first_alarm(died, since=1_500)
        assert day is not None
        assert day <= 1_500 + 70


def test_a_series_of_new_articles_is_judged_on_all_their_links() -> None:
    """Each article gains one link in its life: the series is judged all the same, and found when no article comes."""
    articles = [
        MemberHistory(f"https://yours.example/{day}", {day: 1}, series="Field Notes") for day in range(0, 1_200, 5)
    ]
    verdicts = [
        verdict
        for verdict in replay_groups(articles, days=range(700, 1_290, 7), thresholds=THRESHOLDS)
        if verdict.kind is GroupKind.SERIES
    ]
    by_day = {day_of(to_ms(verdict.judged_at)): verdict for verdict in verdicts}
    assert {verdict.state for day, verdict in by_day.items() if day <= 1_205} == {GroupState.ON_CURVE}
    assert {verdict.last_28.gained for day, verdict in by_day.items() if day <= 1_190} <= {5, 6}
    assert next(day for day, verdict in by_day.items() if verdict.state is GroupState.UNDER_CURVE) <= 1_260


@pytest.mark.parametrize("seed", range(3))
def test_judging_more_often_says_no_more(seed: int) -> None:
    """Day by day, a verdict changes on the days on which it changes week by week."""
    histories = portfolio(seed, 0.5, clumps=0.3)

    def states(step: int) -> list[tuple[int, GroupState]]:
        found = []
        for verdict in replay_groups(histories, days=range(1_299, 1_825, step), thresholds=THRESHOLDS):
            if verdict.kind is GroupKind.SERIES and (not found or found[-1][1] is not verdict.state):
                found.append((day_of(to_ms(verdict.judged_at)), verdict.state))
        return found

    weekly, daily = states(7), states(1)
    assert [state for _, state in weekly] == [state for _, state in daily]
    assert all(0 <= one - other < 7 for (one, _), (other, _) in zip(weekly, daily, strict=True))


@pytest.mark.parametrize("seen_late", [20, 1])
def test_a_replay_is_what_workers_say(seen_late: int) -> None:
    """Its sums are those of the survey, article by article, and so are its verdicts; some of them can't be seen."""
    # Links from long before the watch have no room in the weeks that are counted.
    long_ago = dict.fromkeys(range(-1800, -1000, 40), 50)
    histories = [
        history._replace(watched_day=900, links=long_ago | dict(history.links)) if number < seen_late else history
        for number, history in enumerate(portfolio(3, 0.5, clumps=0.2))
    ]
    for day in range(905, 1_825, 90):
        unseen = {history.article: 20.5 for history in histories[: day % 7] if history.links}
        (replayed,) = (
            verdict
            for verdict in replay_groups(histories, days=[day], thresholds=THRESHOLDS, unseen=lambda _, of=unseen: of)
            if verdict.kind is GroupKind.SERIES
        )
        group_totals = _group_totals(1, list(survey_round(histories, GroupTotals(1), day, unseen=unseen)))
        surveyed = judge_group(
            SERIES,
            group_totals.by_group[SERIES],
            previous=None,
            now_ms=day * DAY_MS,
            thresholds=THRESHOLDS,
            unseen_reason=None,
        )
        assert replayed == surveyed


def test_a_replay_knows_nothing_of_later_days() -> None:
    """Links that come later change no verdict of before."""
    histories = portfolio(1, 0.0)
    cut = [history._replace(links={d: n for d, n in history.links.items() if d < 1_200}) for history in histories]
    days = range(1_100, 1_200, 28)
    assert list(replay_groups(histories, days=days, thresholds=THRESHOLDS)) == list(
        replay_groups([history for history in cut if history.links], days=days, thresholds=THRESHOLDS)
    )


def test_a_round_dated_in_the_future_silences_nobody() -> None:
    """It is rejected, and the partition's next round counts; one of clocks that differ by minutes is no such round."""
    group_totals, recorded_ms = GroupTotals(1), to_ms(THEN)

    def receive(ended_at: datetime) -> None:
        record = codec.survey_rounds.encode(SurveyRound(0, ended_at, 0))
        group_totals.receive_record(b"0", record, recorded_ms)

    with pytest.raises(Rejected):
        receive(datetime(9999, 12, 31, tzinfo=UTC))
    assert group_totals.version == 0
    receive(THEN + timedelta(minutes=10))
    receive(THEN + timedelta(minutes=20))
    assert group_totals.version == 2
