"""Replaying a history says what judging on every single day says."""

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.backtest.histories import History
from flatline.backtest.replay import NEWS, Alert, Ending, replay
from flatline.backtest.visibility_history import VisibilityHistory
from flatline.domain.judgement.evidence import evidence_of
from flatline.domain.judgement.judgement import judge
from flatline.domain.policy.policy import Policy
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.quality.article_link_value import article_link_value
from flatline.domain.state import link
from flatline.domain.state.article import LinkObservation, Registration
from flatline.domain.time import DAY_MS, EARLIEST_MS, to_datetime, to_ms
from flatline.domain.visibility.sources import Sources
from flatline.schema.heartbeat import Heartbeat
from flatline.schema.verdict import State

START = 15_000
KEY = b"https://a.example/"
POLICY = Policy(by_tier={1: Thresholds(cooling_score=0.2, silent_score=0.4)})


def _gain(day: int, *, page: int = 0, organic: bool = True) -> LinkObservation:
    name = (day * 10 + page).to_bytes(8, "big")
    at_ms, flags_and_traits = day * DAY_MS + page, link.ORGANIC if organic else 0
    return LinkObservation(KEY, name, b"domain", True, at_ms, flags_and_traits, "crawler")


def _history(days: list[int], *, tier: int | None = None) -> History:
    return History(KEY, [_gain(day) for day in days], Registration(tier=tier))


def _daily(
    history: History, *, end_day: int, watched_since_ms: int, heartbeats: list[Heartbeat]
) -> Iterator[tuple[int, State]]:
    """Yield what is news, of an article judged at the end of each day, however little happens."""
    article, previous = history.article(watched_since_ms=watched_since_ms), None
    thresholds = POLICY.thresholds_of(history.registration.tier)
    sources = Sources()
    for day in range(START, end_day + 1):
        now_ms = (day + 1) * DAY_MS - 1
        for heartbeat in heartbeats:
            if to_ms(heartbeat.sent_at) <= now_ms:
                sources.receive(heartbeat)
        article.apply([each for each in history.observations if each.at_ms // DAY_MS == day], Counter())
        said = judge(
            evidence_of(
                article,
                sources.visibility(now_ms),
                link_value=article_link_value(article, quality_min=thresholds.worthy_quality),
                now_ms=now_ms,
            ),
            previous=previous,
            now_ms=now_ms,
            thresholds=thresholds,
            hazard=POLICY.hazard,
        )
        if said.state in NEWS and (previous is None or previous.state is not said.state):
            yield day, said.state
        previous = said.as_previous_verdict()


bursts = st.lists(
    st.tuples(st.integers(1, 500), st.integers(1, 40), st.integers(1, 8)),  # a pause, then links at some gap
    min_size=1,
    max_size=5,
)


# A day, and the period. Of two that were sent at the same instant the one heard last counts, whichever that is.
heard_on = st.lists(
    st.tuples(st.integers(-10, 1_500), st.integers(1, 100)), max_size=6, unique_by=lambda heard: heard[0]
)


@pytest.mark.long
@given(
    bursts=bursts,
    heard_on=heard_on,
    tier=st.sampled_from([None, 1, 2]),
    rest=st.integers(0, 700),
    watched=st.none() | st.integers(0, 900),
)
def test_it_is_judging_every_day(
    bursts: list[tuple[int, int, int]],
    heard_on: list[tuple[int, int]],
    tier: int | None,
    rest: int,
    watched: int | None,
) -> None:
    """Days between events that are skipped had nothing to say."""
    days, day = [], START
    for pause, gap, count in bursts:
        day += pause
        days += [day := day + gap for _ in range(count)]
    history, end_day = _history(days, tier=tier), day + rest
    watched_since_ms = EARLIEST_MS if watched is None else (START + watched) * DAY_MS
    heartbeats = [
        Heartbeat("crawler", sent_at=at, seen_until=at, period_s=period * 86_400)
        for heard, period in heard_on
        for at in [to_datetime((START + heard) * DAY_MS)]
    ]
    replayed = replay(
        history,
        POLICY,
        link_days=days,
        end_day=end_day,
        watched_since_ms=watched_since_ms,
        visibility=VisibilityHistory(heartbeats, end_day=end_day),
    )
    daily = _daily(history, end_day=end_day, watched_since_ms=watched_since_ms, heartbeats=heartbeats)
    assert [(alert.day, alert.kind) for alert in replayed] == list(daily)


WEEKLY = list(range(START, START + 200, 7))
LAST = WEEKLY[-1]


def _alerts(days: list[int], end_day: int, *, tier: int | None = None) -> list[Alert]:
    return list(replay(_history(days, tier=tier), Policy(by_tier=POLICY.by_tier), link_days=days, end_day=end_day))


def test_alerts_say_how_they_ended() -> None:
    """A silence that lasts was told rightly, one that ends was told wrongly, and one may still be open."""
    (told,) = _alerts(WEEKLY, LAST + 2_000)
    assert (told.kind, told.ending, told.delay_days) == (State.SILENT, Ending.RIGHT, told.day - LAST)
    (still_open,) = _alerts(WEEKLY, told.day + 179)
    assert still_open.ending is Ending.OPEN
    wrong, revived = _alerts([*WEEKLY, told.day + 180, told.day + 190], told.day + 200)
    assert (wrong.day, wrong.ending) == (told.day, Ending.WRONG)
    assert (revived.kind, revived.ending) == (State.REVIVED, None)


def test_tiers_have_thresholds_of_their_own() -> None:
    """An article of a tier with a lower threshold alerts earlier."""
    (usual,) = _alerts(WEEKLY, LAST + 2_000)
    (early,) = _alerts(WEEKLY, LAST + 2_000, tier=1)
    assert early.day < usual.day


@pytest.mark.parametrize("count", [1, 4])
def test_too_little_history_never_alerts(count: int) -> None:
    """An article with fewer link days than it takes to judge is never silent."""
    assert not _alerts(WEEKLY[:count], LAST + 2_000)
