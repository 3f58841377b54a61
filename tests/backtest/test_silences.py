"""The silences that thresholds would have caused are those that a replay of all days finds."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flatline.backtest.cases import cases_of
from flatline.backtest.histories import Histories, History
from flatline.backtest.performance import fastest, performances
from flatline.backtest.replay import replay
from flatline.backtest.silences import GAPS_DAYS, fastest_gap, silences
from flatline.domain.policy.policy import Policy
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.state import link
from flatline.domain.state.article import LinkObservation, Registration
from flatline.domain.time import DAY_MS, day_of
from flatline.schema.verdict import State
from flatline_connectors.files.lines import LineFile

START = 15_000
SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "sample.ndjson.zst"
bursts = st.lists(st.tuples(st.integers(1, 700), st.integers(1, 60), st.integers(1, 9)), min_size=1, max_size=5)
moved = st.builds(
    Thresholds,
    cooling_score=st.just(0.01),
    silent_score=st.floats(0.02, 0.95),
    silent_gaps=st.floats(0.1, 8),
    link_days_min=st.integers(2, 8),
    left_at_share=st.floats(0.3, 1),
)


def days_of(bursts: list[tuple[int, int, int]]) -> list[int]:
    """Return link days: after each pause, so many at some gap."""
    days, day = [], START
    for pause, gap, count in bursts:
        day += pause
        days += [day := day + gap for _ in range(count)]
    return days


def history_of(days: list[int]) -> History:
    """Return a history with a link on each day."""
    key = b"https://a.example/"
    seen = [
        LinkObservation(key, day.to_bytes(8, "big"), b"domain", True, day * DAY_MS, link.ORGANIC, "crawler")
        for day in days
    ]
    return History(key, seen, Registration())


@pytest.mark.long
@example(bursts=[(1, 30, 9), (335, 30, 9), (335, 30, 9)], thresholds=Thresholds(), rest=400, begin=0)  # a season
@given(bursts=bursts, thresholds=moved, rest=st.integers(0, 900), begin=st.integers(0, 1_500))
def test_they_are_those_of_a_replay(
    bursts: list[tuple[int, int, int]], thresholds: Thresholds, rest: int, begin: int
) -> None:
    """Whatever the thresholds are, with the same days, endings and probabilities."""
    days, policy = days_of(bursts), Policy(thresholds)
    history, end_day = history_of(days), days[-1] + rest
    found = silences(history.key, days, thresholds, policy.hazard, begin_day=START + begin, end_day=end_day)
    replayed = replay(history, policy, link_days=days, end_day=end_day)
    assert list(found) == [
        alert._replace(reason="") for alert in replayed if alert.kind is State.SILENT and alert.day >= START + begin
    ]


@pytest.mark.long
@pytest.mark.skipif(not SAMPLE.exists(), reason="the public histories are not on this machine")
@pytest.mark.parametrize("thresholds", [Thresholds(), Thresholds(cooling_score=0.1, silent_score=0.25, silent_gaps=1)])
def test_they_are_those_of_a_replay_of_real_histories(thresholds: Thresholds) -> None:
    """Of articles with losses, imports and links that came back, too."""
    histories, policy = Histories(), Policy(thresholds)
    histories.read_links(SAMPLE.name, LineFile(SAMPLE), recorded_ms=1_800_000_000_000)
    end_day, found, replayed = day_of(histories.end_ms), [], []
    for history in histories:
        days = sorted(history.link_days())
        found += silences(history.key, days, thresholds, policy.hazard, begin_day=0, end_day=end_day)
        replayed += replay(history, policy, link_days=days, end_day=end_day)
    assert found == [each._replace(reason="") for each in replayed if each.kind is State.SILENT]
    assert len(found) > 50


@given(histories=st.lists(bursts, min_size=1, max_size=6), precision=st.floats(0.1, 1))
def test_the_fixed_gap_is_that_of_the_backtest(histories: list[list[tuple[int, int, int]]], precision: float) -> None:
    """Where all pauses are of active articles and the window is the whole of time, both compare the same pauses."""
    articles = [days_of(each) for each in histories]
    end_day = max(days[-1] for days in articles) + 400
    gap = fastest_gap(
        articles,
        link_days_min=5,
        precision=precision,
        begin_day=0,
        end_day=end_day,
        horizon_days=180,
    )
    cases = cases_of(articles, end_day=end_day)
    pauses = sum(max(0, len(days) - 4) for days in articles)
    if len(cases) == pauses and pauses:
        alert_days = cases.begin_day[:, None] + GAPS_DAYS
        assert ([gap] if gap else []) == fastest(performances(cases, alert_days, GAPS_DAYS), [precision])
