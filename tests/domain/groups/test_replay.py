"""Groups as they would have been judged in the past, on simulated series."""

import random
from math import exp

import pytest

from flatline.domain.groups.judgement import judge_group
from flatline.domain.groups.replay import MemberHistory, replay_groups, survey_round
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.time import DAY_MS, day_of, to_ms
from flatline.schema.group import GroupKind, GroupState
from tests.domain.groups.surveys import SERIES, THRESHOLDS, totals_of


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
    days = range(since, 1_825, 7)
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
        group_totals = totals_of(1, list(survey_round(histories, GroupTotals(1), day, unseen=unseen)))
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
