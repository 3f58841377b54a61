"""The survey of groups, and what its parts add up to."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from flatline.domain.groups.survey import GROUPS_MAX, NOTHING, Membership, Sums, Survey, contribution
from flatline.domain.groups.totals import STRATEGY_LINKS_MIN, GroupTotals
from flatline.domain.groups.weekly_links import (
    JOINED_WEEKS,
    last_day_of,
    watched_weeks,
    week_of,
)
from flatline.domain.learned.curve import PRIOR
from flatline.domain.learned.expectation import Baseline, expect
from flatline.domain.time import DAY_MS, to_ms
from flatline.schema import codec
from flatline.schema.group import GroupKind, GroupPart, SurveyRound
from flatline.schema.rejection import Rejected
from flatline.schema.verdict import State
from tests.domain.groups.surveys import LAST_WEEK, NOW, SERIES, THEN, totals_of

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


@given(st.lists(members, max_size=25))
def test_parts_sum_to_the_whole(articles: list[tuple[str | None, str | None, dict[int, int], int]]) -> None:
    """However articles lie on partitions, and however often a record is received, groups add up to the same."""
    records = [r for n in range(4) for r in _records(_survey([a for a in articles if a[3] == n]), n)]
    together = totals_of(1, _records(_survey(articles), 0)).by_group
    apart = totals_of(4, records + records).by_group
    assert apart.keys() == together.keys()
    for group, total in together.items():
        assert apart[group].sums.values == pytest.approx(total.sums.values)
        assert apart[group].states == total.states == {State.STEADY: total.sums.articles}


def test_a_new_round_takes_the_place_of_the_one_before() -> None:
    """A group that vanished from a partition is gone, and what compaction left of an older round counts for nothing."""
    before = _records(_survey([(None, "Field Notes", {NOW - 9: 1}, 0)]), 0)
    after = _records(_survey([(None, "Tides", {NOW - 9: 1}, 0)]), 0, THEN + timedelta(days=1))
    for records in (before + after, before[:-1] + after, after + before):
        group_totals = totals_of(1, records)
        assert {group.name for group in group_totals.by_group if group.kind is GroupKind.SERIES} == {"Tides"}


def test_a_former_workers_round_does_no_harm() -> None:
    """Its sums have another order, and no last week: the partition counts as before, and other partitions whole."""
    articles = [_records(_survey([(None, "Field Notes", {NOW - 9: 1}, 0)] * 3), number) for number in (0, 1)]
    later = THEN + timedelta(days=1)
    former = [
        structs.replace(record, last_week=0, sums=[7.0] * 60) if isinstance(record, GroupPart) else record
        for record in _records(_survey([(None, "Field Notes", {NOW - 9: 1}, 0)]), 1, later)
    ]
    group_totals = totals_of(2, [*articles[0], *former])
    assert not group_totals.is_complete
    for record in (*articles[1], *former):
        group_totals.receive(record)
    assert group_totals.is_complete
    assert group_totals.by_group == totals_of(2, [*articles[0], *articles[1]]).by_group


def test_a_census_is_complete_with_its_last_partition() -> None:
    """Before that groups look smaller than they are, and nothing is learned."""
    group_totals = totals_of(2, _records(_survey([(None, None, {NOW - 9: 1}, 0)]), 0))
    assert not group_totals.is_complete
    group_totals.receive(SurveyRound(1, THEN, 0))
    assert group_totals.is_complete


def test_a_strategy_has_a_curve_of_its_own_when_it_has_enough_links() -> None:
    """Below, its articles are expected to do as their site's."""
    late = {NOW - 2_000: 1, NOW - 900: 1, NOW - 800: 1, NOW - 700: 1, NOW - 600: 1}
    for articles, own in ((STRATEGY_LINKS_MIN // 4 + 1, True), (10, False)):
        group_totals = totals_of(1, _records(_survey([("news", None, late, 0)] * articles), 0))
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
    totals = totals_of(2, [*parts, SurveyRound(0, THEN, 1), SurveyRound(1, THEN, 1)])
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
