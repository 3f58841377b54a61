"""Freshness of sources, from their heartbeats."""

from datetime import UTC, datetime, timedelta

import pytest

from streams.domain.event_time import to_ms
from streams.domain.rhythm import DAY_MS
from streams.domain.sight.heard import Heard, Report
from streams.domain.sight.sources import SOURCES_MAX, Sources
from streams.schema.heartbeat import Heartbeat

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TODAY = to_ms(NOW) // DAY_MS


def _heartbeat(
    source: str = "north", *, seen_h_ago: float, sent_h_ago: float = 0, period_h: float | None = 1
) -> Heartbeat:
    return Heartbeat(
        source,
        sent_at=NOW - timedelta(hours=sent_h_ago),
        seen_until=NOW - timedelta(hours=seen_h_ago),
        period_s=None if period_h is None else period_h * 3600,
    )


@pytest.mark.parametrize(
    ("heartbeats", "is_stale", "why"),
    [
        ([_heartbeat(seen_h_ago=2.9)], False, "three periods are allowed"),
        ([_heartbeat(seen_h_ago=3.1)], True, "more are not"),
        ([_heartbeat(seen_h_ago=3.1, period_h=2)], False, "the period is the source's own"),
        ([_heartbeat(seen_h_ago=900, period_h=None)], False, "a source that has finished is expected no more"),
        ([_heartbeat(seen_h_ago=5), _heartbeat(seen_h_ago=0)], False, "it came back"),
        (
            [_heartbeat(seen_h_ago=0), _heartbeat(seen_h_ago=5, sent_h_ago=5)],
            False,
            "an old heartbeat that comes late takes nothing back",
        ),
        ([_heartbeat(seen_h_ago=5), _heartbeat(seen_h_ago=4)], True, "alive, but not keeping up"),
    ],
)
def test_stale(heartbeats: list[Heartbeat], is_stale: bool, why: str) -> None:
    """A source is stale when it is more than three of its own periods behind."""
    sources = Sources()
    for heartbeat in heartbeats:
        sources.hear(heartbeat)
    assert (sources.stale(to_ms(NOW)) == {"north"}) == is_stale, why


def _heard(days: range) -> Heard:
    """Return what was heard of a source that reported each of these days, on many articles."""
    heard = Heard()
    for day in days:
        heard.observe(Report(day, (TODAY - day) * DAY_MS, None), offset=0)
    return heard


@pytest.mark.parametrize(
    ("days_ago", "heartbeats", "is_stale", "why"),
    [
        (range(3, 40), [], False, "daily, and quiet for less than three days: as on any weekend"),
        (range(5, 40), [], True, "daily, and quiet since"),
        (range(5, 210, 7), [], False, "weekly, and not yet due"),
        (range(30, 240, 7), [], True, "weekly, and quiet for a month"),
        (range(5, 9), [], False, "four days teach nothing"),
        (range(5, 40), [_heartbeat(seen_h_ago=0)], False, "its heartbeats know better: it had nothing to report"),
        (range(5, 40), [_heartbeat(seen_h_ago=50, period_h=None)], False, "it said that it has finished"),
        (range(1, 40), [_heartbeat(seen_h_ago=50)], True, "by its heartbeats, whatever it reports"),
    ],
)
def test_stale_by_habit(days_ago: range, heartbeats: list[Heartbeat], is_stale: bool, why: str) -> None:
    """A source without heartbeats is stale when it is quiet for three times its usual gap."""
    sources = Sources()
    sources.listen_to([{"north": _heard(days_ago)}])
    for heartbeat in heartbeats:
        sources.hear(heartbeat)
    assert (sources.stale(to_ms(NOW)) == {"north"}) == is_stale, why
    behind = sources.sight(to_ms(NOW)).behind
    assert ("north" in behind and bool(behind["north"].because)) == is_stale, why


def test_a_source_that_has_just_come_back_is_not_believed_at_once() -> None:
    """For one period of its own it has seen no further than before it went: what it missed has to come first."""
    sources = Sources()
    sources.hear(_heartbeat(seen_h_ago=24 * 40, sent_h_ago=24 * 40, period_h=24))
    sources.hear(_heartbeat(seen_h_ago=0, period_h=24))
    now_ms = to_ms(NOW)
    assert not sources.stale(now_ms)
    at_once, later = sources.sight(now_ms + 60_000), sources.sight(now_ms + DAY_MS)
    assert at_once.behind["north"].seen_until_ms == now_ms - 40 * DAY_MS
    assert "has just come back" in str(at_once.behind["north"].because)
    assert later.behind["north"].because is None
    assert at_once.late_days == {"north": 40}


def test_sight_seldom_changes() -> None:
    """From one second to the next nothing becomes due because of it."""
    sources = Sources()
    sources.listen_to([{"south": _heard(range(9, 40))}])
    sources.hear(_heartbeat(seen_h_ago=90))
    now_ms = to_ms(NOW) + DAY_MS // 2
    assert sources.sight(now_ms) == sources.sight(now_ms + 1_000)


def test_sources_are_bounded() -> None:
    """However many sources there are, a bounded number is tracked; those known stay known."""
    sources = Sources()
    for number in range(SOURCES_MAX + 50):
        sources.hear(_heartbeat(f"source-{number}", seen_h_ago=9))
    sources.hear(_heartbeat("source-0", seen_h_ago=0))
    assert len(sources.freshness(to_ms(NOW))) == SOURCES_MAX
    assert "source-0" not in sources.stale(to_ms(NOW))
