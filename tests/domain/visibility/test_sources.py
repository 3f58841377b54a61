"""Freshness of sources, from their heartbeats."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from flatline.domain.time import DAY_MS, to_ms
from flatline.domain.visibility.source_history import SourceHistory, SourceReport
from flatline.domain.visibility.sources import SOURCES_MAX, Sources
from flatline.schema.heartbeat import Heartbeat

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
        sources.receive(heartbeat)
    assert (sources.stale(to_ms(NOW)) == {"north"}) == is_stale, why


def _history(days: range) -> SourceHistory:
    """Return the history of a source that reported each of these days, on many articles."""
    history = SourceHistory()
    for day in days:
        history.observe(SourceReport(day, (TODAY - day) * DAY_MS, None), offset=0)
    return history


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
    sources.learn_habits([{"north": _history(days_ago)}])
    for heartbeat in heartbeats:
        sources.receive(heartbeat)
    assert (sources.stale(to_ms(NOW)) == {"north"}) == is_stale, why
    delays = sources.visibility(to_ms(NOW)).delays
    assert ("north" in delays and bool(delays["north"].reason)) == is_stale, why


def test_a_source_that_has_just_come_back_is_not_believed_at_once() -> None:
    """For one period of its own it has seen no further than before it went: what it missed has to come first."""
    sources = Sources()
    sources.receive(_heartbeat(seen_h_ago=24 * 40, sent_h_ago=24 * 40, period_h=24))
    sources.receive(_heartbeat(seen_h_ago=0, period_h=24))
    now_ms = to_ms(NOW)
    assert not sources.stale(now_ms)
    at_once, later = sources.visibility(now_ms + 60_000), sources.visibility(now_ms + DAY_MS)
    assert at_once.delays["north"].seen_until_ms == now_ms - 40 * DAY_MS
    assert "has just come back" in str(at_once.delays["north"].reason)
    assert later.delays["north"].reason is None
    assert at_once.late_days == {"north": 40}


def test_a_gap_that_nobody_fills_is_told() -> None:
    """A heartbeat says from when on it has seen everything: it claims no gap, however short, and says so but once."""
    sources, now_ms = Sources(), to_ms(NOW)
    sources.receive(_heartbeat(seen_h_ago=30, sent_h_ago=30, period_h=24))
    after_gap = structs.replace(_heartbeat(seen_h_ago=1, sent_h_ago=1, period_h=24), seen_from=NOW - timedelta(hours=3))
    sources.receive(after_gap)
    assert "has just come back" in str(sources.visibility(now_ms).delays["north"].reason)
    sources.receive(structs.replace(after_gap, sent_at=NOW, seen_until=NOW))
    assert sources.visibility(now_ms + DAY_MS).delays["north"].reason is None


def test_visibility_seldom_changes() -> None:
    """From one second to the next nothing becomes due because of it."""
    sources = Sources()
    sources.learn_habits([{"south": _history(range(9, 40))}])
    sources.receive(_heartbeat(seen_h_ago=90))
    now_ms = to_ms(NOW) + DAY_MS // 2
    assert sources.visibility(now_ms) == sources.visibility(now_ms + 1_000)


@pytest.mark.parametrize("seen_until", [NOW, NOW + timedelta(days=36 * 365)])
@pytest.mark.parametrize("sent_at", [NOW, NOW + timedelta(days=36 * 365)])
def test_no_clock_that_is_ahead_keeps_a_source_fresh(sent_at: datetime, seen_until: datetime) -> None:
    """Whatever a heartbeat says, its source has seen nothing after the time of its record, and is stale in time."""
    sources = Sources()
    sources.receive(Heartbeat("north", sent_at, seen_until, period_s=3600.0), recorded_ms=to_ms(NOW))
    assert sources.freshness(to_ms(NOW))["north"].staleness_ms == 0
    assert not sources.stale(to_ms(NOW + timedelta(hours=2.9)))
    assert sources.stale(to_ms(NOW + timedelta(hours=3.1))) == {"north"}


def test_nothing_is_seen_after_it_was_said() -> None:
    """Also of a heartbeat that has no record, as in a file."""
    sources = Sources()
    sources.receive(Heartbeat("north", NOW, NOW + timedelta(days=36 * 365), period_s=3600.0))
    assert sources.stale(to_ms(NOW + timedelta(hours=3.1))) == {"north"}


def test_a_source_is_heard_again_once_its_clock_is_mended() -> None:
    """One heartbeat from the future does not outdo those that follow."""
    sources, ahead = Sources(), NOW + timedelta(days=36 * 365)
    sources.receive(Heartbeat("north", ahead, NOW, period_s=3600.0), recorded_ms=to_ms(NOW))
    for hours in range(1, 9):
        at = NOW + timedelta(hours=hours)
        sources.receive(Heartbeat("north", at, at, period_s=3600.0), recorded_ms=to_ms(at))
    assert not sources.stale(to_ms(NOW + timedelta(hours=10)))
    assert sources.stale(to_ms(NOW + timedelta(hours=12))) == {"north"}


@given(
    offsets_h=st.lists(st.tuples(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6)), min_size=1, max_size=8),
    recorded_ms=st.sampled_from([-1, 0, 1, to_ms(NOW), 2**62]),
)
def test_any_heartbeat_can_be_heard(offsets_h: list[tuple[int, int]], recorded_ms: int) -> None:
    """Whatever its times and that of its record."""
    sources = Sources()
    for sent_h, seen_h in offsets_h:
        heartbeat = Heartbeat("north", NOW + timedelta(hours=sent_h), NOW + timedelta(hours=seen_h), period_s=3600.0)
        sources.receive(heartbeat, recorded_ms=recorded_ms)
        sources.visibility(to_ms(NOW))


def test_a_finished_source_that_reports_again_is_known_by_its_habits() -> None:
    """It said that nothing more was to be expected of it; then more came, and stopped."""
    sources = Sources()
    sources.learn_habits([{"north": _history(range(5, 40))}])
    sources.receive(_heartbeat(seen_h_ago=24 * 20, sent_h_ago=24 * 20, period_h=None))
    assert sources.stale(to_ms(NOW)) == {"north"}
    assert "north" in sources.reporting_periods()


def test_sources_are_bounded() -> None:
    """However many sources there are, a bounded number is tracked; those known stay known, the others are counted."""
    sources = Sources()
    for number in range(SOURCES_MAX + 50):
        sources.receive(_heartbeat(f"source-{number}", seen_h_ago=9))
    sources.receive(_heartbeat("source-0", seen_h_ago=0))
    assert len(sources.freshness(to_ms(NOW))) == SOURCES_MAX
    assert "source-0" not in sources.stale(to_ms(NOW))
    assert sources.left_out == 50


@pytest.mark.parametrize(
    ("others", "has_place"),
    [
        ([_heartbeat(f"{n}", seen_h_ago=0, period_h=None) for n in range(SOURCES_MAX)], True),
        ([_heartbeat(f"{n}", seen_h_ago=9e3, sent_h_ago=9e3) for n in range(SOURCES_MAX)], True),
        ([_heartbeat(f"{n}", seen_h_ago=9e3, sent_h_ago=9e3, period_h=1e3) for n in range(SOURCES_MAX)], False),
        ([_heartbeat(f"{n}", seen_h_ago=9) for n in range(SOURCES_MAX)], False),
    ],
    ids=["finished", "long gone", "gone, but for fewer than ten of its periods", "just gone quiet"],
)
def test_places_are_freed(others: list[Heartbeat], has_place: bool) -> None:
    """A source that has finished or is long gone keeps no other from being watched; one that went quiet does."""
    sources = Sources()
    for heartbeat in others:
        sources.receive(heartbeat)
    sources.receive(_heartbeat("real-crawler", seen_h_ago=0))
    assert ("real-crawler" in sources.stale(to_ms(NOW + timedelta(days=365)))) == has_place
    assert sources.left_out == (0 if has_place else 1)


def test_a_source_that_was_left_out_gets_the_next_place() -> None:
    """A forgotten or finished source leaves one, and the next heartbeat takes it."""
    sources = Sources()
    for number in range(SOURCES_MAX + 1):
        sources.receive(_heartbeat(f"source-{number}", seen_h_ago=0))
    late = f"source-{SOURCES_MAX}"
    assert late not in sources.freshness(to_ms(NOW))
    sources.forget("source-7")
    sources.receive(_heartbeat(late, seen_h_ago=0))
    assert late in sources.freshness(to_ms(NOW))
    assert sources.left_out == 0
