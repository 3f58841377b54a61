"""Groups: parts sum to the total, slow declines are found, steady groups are left alone."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.groups.judgement import judge_group
from flatline.domain.groups.replay import MemberHistory, replay_groups
from flatline.domain.groups.survey import GROUPS_MAX, NOTHING, VALUES, Group, Membership, Sums, Survey, contribution
from flatline.domain.groups.totals import STRATEGY_LINKS_MIN, GroupTotal, GroupTotals
from flatline.domain.learned.curve import PRIOR
from flatline.domain.learned.expectation import BLOCKS, Baseline, expect
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.time import DAY_MS, to_ms
from flatline.schema import codec
from flatline.schema.group import GroupKind, GroupPart, GroupState, GroupVerdict, SurveyRound
from flatline.schema.rejection import Rejected
from flatline.schema.verdict import State

THRESHOLDS = Thresholds()
NOW = 20_000
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
        survey.add(_membership(strategy, series), contribution(expectation, is_unseen=False), State.STEADY)
    return survey


def _records(survey: Survey, partition: int, at: datetime = THEN) -> list[GroupPart | SurveyRound]:
    parts = [
        GroupPart(*group, partition, at, dict(states), list(sums.values)) for group, sums, states in survey.groups()
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


def test_articles_that_cannot_be_seen_are_left_out() -> None:
    """A crawler that died makes no shortfall of its articles: nothing is asked of them, and how much is known."""
    days = {NOW - age: 1 for age in range(900, 90, -5)}
    expectation = expect(days, published_day=None, watched_day=0, now_days=NOW, baseline=Baseline())
    assert expectation is not None
    seen, unseen = (Sums(contribution(expectation, is_unseen=is_unseen)) for is_unseen in (False, True))
    assert (seen.articles, unseen.articles) == (1, 1)
    assert seen.expected[-1] == unseen.unseen_expected > 5
    assert sum(unseen.values) == pytest.approx(1 + unseen.unseen_expected)


def test_what_was_before_the_watch_is_no_news() -> None:
    """An imported history has its figures at once, and its first block when that has passed under watch."""
    days = {NOW - age: 1 for age in range(900, 90, -5)}
    for watched, blocks in ((0, 0), (27, 0), (28, 1), (60, 2), (5_000, BLOCKS)):
        expectation = expect(days, published_day=None, watched_day=NOW - watched, now_days=NOW, baseline=Baseline())
        sums = Sums(contribution(expectation, is_unseen=False))
        assert sum(expected > 0 for expected in sums.blocks_expected) == blocks
        assert sums.expected[-1] > 5


def _total(expected: Sequence[float], gained: Sequence[float], *, articles: int = 9, unseen: float = 0.0) -> GroupTotal:
    """Return a group with these links by block, whose articles show no more than chance."""
    values = [float(articles), unseen, 0, 0, sum(expected), *([sum(expected[:3]), sum(gained[:3])] * 3)]
    values += [value for block in zip(expected, gained, strict=True) for value in block]
    return GroupTotal(Sums(values + [0.0] * (VALUES - len(values))), Counter({State.STEADY: articles}))


def _judge(
    expected: float,
    gained: Sequence[float],
    *,
    former: GroupState | None = None,
    articles: int = 9,
    unseen: float = 0.0,
) -> GroupVerdict:
    previous = None
    total = _total([expected] * BLOCKS, gained, articles=articles, unseen=unseen)
    if former:
        previous = judge_group(SERIES, total, previous=None, now_ms=0, thresholds=THRESHOLDS, unseen_reason=None)
        previous = type(previous)(**{f: getattr(previous, f) for f in previous.__struct_fields__} | {"state": former})
    return judge_group(SERIES, total, previous=previous, now_ms=NOW * DAY_MS, thresholds=THRESHOLDS, unseen_reason=None)


@pytest.mark.parametrize(
    ("expected", "gained", "options", "state", "why"),
    [
        (10, [10] * BLOCKS, {}, GroupState.ON_CURVE, "what was expected came"),
        (10, [0, *[10] * 6], {}, GroupState.UNDER_CURVE, "nothing for four weeks where ten were expected"),
        (10, [6, 6, 6, 5, 6, 6, 6], {}, GroupState.UNDER_CURVE, "each month a little too few, together too many"),
        (10, [7, 10, 10, 10, 10, 10, 10], {}, GroupState.ON_CURVE, "one weak month is chance"),
        (10, [30, *[10] * 6], {}, GroupState.ABOVE_CURVE, "three times as many as expected"),
        (1, [0] * BLOCKS, {}, GroupState.NEW, "so little was expected that its absence says nothing"),
        (10, [0] * BLOCKS, {"articles": 2}, GroupState.NEW, "two articles are no group"),
        (10, [4, 6, 8, 10, 10, 10, 10], {}, GroupState.ON_CURVE, "three weak months are not said"),
        (
            10,
            [4, 6, 8, 10, 10, 10, 10],
            {"former": GroupState.UNDER_CURVE},
            GroupState.UNDER_CURVE,
            "what was said is not taken back for that",
        ),
        (1_000, [800] * BLOCKS, {}, GroupState.ON_CURVE, "of so many a fifth is improbable, and still no news"),
        (1_000, [700] * BLOCKS, {}, GroupState.UNDER_CURVE, "a third is"),
        (
            1_000,
            [800] * BLOCKS,
            {"former": GroupState.UNDER_CURVE},
            GroupState.UNDER_CURVE,
            "once said, more has to come back",
        ),
        (10, [10] * BLOCKS, {"former": GroupState.UNDER_CURVE}, GroupState.ON_CURVE, "it recovered"),
        (
            10,
            [0] * BLOCKS,
            {"former": GroupState.ON_CURVE, "unseen": 60.0},
            GroupState.ON_CURVE,
            "its sources can't be seen: no worse",
        ),
        (
            10,
            [0] * BLOCKS,
            {"former": GroupState.ON_CURVE, "unseen": 3.0},
            GroupState.UNDER_CURVE,
            "few of its links would come from what can't be seen",
        ),
    ],
)
def test_states(expected: float, gained: list[float], options: dict[str, object], state: GroupState, why: str) -> None:
    """Each rule with its reason."""
    assert _judge(expected, gained, **options).state is state, why  # type: ignore[arg-type]


def test_sentences() -> None:
    """What a marketing person reads."""
    assert _judge(14, [3, 3, 8, *[14] * 4]).reason == (
        "Field Notes gained 6 links in 56 days; 28 were expected "
        "(probability of so few if nothing had changed: less than 0.01%)."
    )
    assert _judge(10, [10] * BLOCKS).reason == "Field Notes gained 30 links in 90 days; 30 were expected."
    suppressed = _judge(10, [0] * BLOCKS, former=GroupState.ON_CURVE, unseen=60.0)
    assert suppressed.suppressed
    assert suppressed.reason.endswith(
        " The verdict is held back because the usual sources of articles that should bring 67% of its links "
        "can't be seen."
    )


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


def first_alarm(histories: list[MemberHistory], since: int) -> int | None:
    """Return the first day of the last years on which the series is said to be under its curve."""
    days = range(since, 1_825, 14)
    for verdict in replay_groups(histories, days=days, thresholds=THRESHOLDS):
        if verdict.kind is GroupKind.SERIES and verdict.state is GroupState.UNDER_CURVE:
            return (verdict.judged_at - datetime(1970, 1, 1, tzinfo=UTC)).days
    return None


def test_slow_declines_are_found_and_steady_series_left_alone() -> None:
    """A rate that falls by half over six months is found within a year in most cases; of steady ones few are accused.

    Of 40 of each: 30 found, half of all by day 248; 3 accused in two years (9 where links come in clumps).
    """
    declining = [first_alarm(portfolio(seed, 0.5), since=1_400) for seed in range(12)]
    steady = [first_alarm(portfolio(seed, 0.0), since=1_095) for seed in range(12)]
    assert sum(day is not None and day >= 1_460 for day in declining) >= 9
    assert sum(day is not None for day in steady) <= 3


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
