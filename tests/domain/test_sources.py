"""Freshness of sources, from their heartbeats."""

from datetime import UTC, datetime, timedelta

import pytest

from streams.domain.event_time import to_ms
from streams.domain.sources import SOURCES_MAX, Sources
from streams.schema.heartbeat import Heartbeat

NOW = datetime(2026, 6, 1, tzinfo=UTC)


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


def test_sources_are_bounded() -> None:
    """However many sources there are, a bounded number is tracked; those known stay known."""
    sources = Sources()
    for number in range(SOURCES_MAX + 50):
        sources.hear(_heartbeat(f"source-{number}", seen_h_ago=9))
    sources.hear(_heartbeat("source-0", seen_h_ago=0))
    assert len(sources.freshness(to_ms(NOW))) == SOURCES_MAX
    assert "source-0" not in sources.stale(to_ms(NOW))
