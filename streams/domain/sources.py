"""Which sources can be believed to see: pure bookkeeping over their heartbeats."""

from typing import Final, NamedTuple

from streams.domain.event_time import to_ms
from streams.domain.rhythm import DAY_MS, day_of
from streams.domain.sight import Behind, Sight
from streams.schema.heartbeat import Heartbeat

STALE_AFTER_PERIODS: Final = 3
SOURCES_MAX: Final = 500


class Freshness(NamedTuple):
    """How far behind a source is, and how far it may be; both in ms."""

    staleness_ms: int
    limit_ms: int

    @property
    def is_stale(self) -> bool:
        """Whether the source has missed several of its own periods."""
        return self.staleness_ms > self.limit_ms


class Sources:
    """The latest heartbeat of each source. Sources beyond SOURCES_MAX are not tracked, and so never stale."""

    def __init__(self) -> None:
        self._latest: dict[str, Heartbeat] = {}

    def hear(self, heartbeat: Heartbeat) -> None:
        """Note a heartbeat, unless a later one is known."""
        known = self._latest.get(heartbeat.source)
        if known is None and len(self._latest) >= SOURCES_MAX:
            return
        if known is None or heartbeat.sent_at >= known.sent_at:
            self._latest[heartbeat.source] = heartbeat

    def freshness(self, now_ms: int) -> dict[str, Freshness]:
        """Return the freshness of every source of which more is expected."""
        return {
            source: Freshness(
                staleness_ms=max(0, now_ms - to_ms(heartbeat.seen_until)),
                limit_ms=int(heartbeat.period_s * 1000 * STALE_AFTER_PERIODS),
            )
            for source, heartbeat in self._latest.items()
            if heartbeat.period_s is not None
        }

    def sight(self, now_ms: int, *, is_lagging: bool = False) -> Sight:
        """Return what can't be seen at the moment. Instants in it are whole days, so that it seldom changes."""
        behind = {}
        for source, freshness in self.freshness(now_ms).items():
            if freshness.staleness_ms >= DAY_MS:
                seen_until_ms = day_of(now_ms - freshness.staleness_ms) * DAY_MS
                behind[source] = Behind(seen_until_ms, f"its source {source} is stale" if freshness.is_stale else None)
        return Sight(behind, is_lagging=is_lagging)

    def stale(self, now_ms: int) -> frozenset[str]:
        """Return the sources that have fallen behind."""
        return frozenset(source for source, freshness in self.freshness(now_ms).items() if freshness.is_stale)
