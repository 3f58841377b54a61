"""What each day of a source was like, as known at its end: heard, stale or silent."""

from collections.abc import Container, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from flatline.domain.time import DAY_MS, day_of, to_ms
from flatline.domain.visibility.sources import Freshness, limit_ms_of
from flatline.schema.heartbeat import Heartbeat


class DayState(StrEnum):
    """Of a source on a UTC day."""

    HEARD = "heard"
    """It reported links of that day, or sent a heartbeat, and was not stale in the end."""

    STALE = "stale"
    """At the end of the day, by its last heartbeat, it was further behind than it may be."""

    SILENT = "silent"
    """Nothing came, and no heartbeat was overdue."""


class LastHeartbeat(NamedTuple):
    """The last heartbeat of a source on a day. ``limit_ms``: None where no other was promised."""

    sent_ms: int
    seen_until_ms: int
    limit_ms: int | None

    @classmethod
    def of(cls, heartbeat: Heartbeat) -> "LastHeartbeat":
        """Return what counts of a heartbeat, whose times are clamped."""
        limit_ms = None if heartbeat.period_s is None else limit_ms_of(heartbeat)
        return cls(to_ms(heartbeat.sent_at), to_ms(heartbeat.seen_until), limit_ms)

    def is_stale(self, at_ms: int) -> bool:
        """Whether the source is stale at an instant, if nothing came since."""
        return self.limit_ms is not None and Freshness(max(0, at_ms - self.seen_until_ms), self.limit_ms).is_stale


def day_states(
    first_day: int,
    *,
    now_ms: int,
    reporting: Container[int],
    heartbeats: Mapping[int, LastHeartbeat],
    before: LastHeartbeat | None,
) -> Iterator[tuple[int, DayState]]:
    """Yield each UTC day from ``first_day`` to today, which ends now, with its state.

    ``reporting``   days of which the source reported links
    ``heartbeats``  its last heartbeat of each day that has one
    ``before``      its last one before ``first_day``
    """
    last = before
    for day in range(first_day, day_of(now_ms) + 1):
        last = heartbeats.get(day, last)
        if last is not None and last.is_stale(min((day + 1) * DAY_MS, now_ms)):
            yield day, DayState.STALE
        else:
            yield day, DayState.HEARD if day in reporting or day in heartbeats else DayState.SILENT
