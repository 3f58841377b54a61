"""Clamps the times of heartbeats whose senders' clocks are ahead."""

from typing import Final

from msgspec import structs

from flatline.domain.time import clamped_ms, to_datetime, to_ms
from flatline.schema.heartbeat import Heartbeat

# A record without a time, which Kafka allows.
NO_TIME_MS: Final = -1


def clamped(heartbeat: Heartbeat, *, recorded_ms: int | None) -> Heartbeat:
    """Return a heartbeat that was not sent after ``recorded_ms``, has seen nothing after that, and began before.

    ``recorded_ms`` is the time of its record. Where there is none, as in a file, ``sent_at`` is believed.
    """
    sent_at, sent_ms = heartbeat.sent_at, to_ms(heartbeat.sent_at)
    if recorded_ms is not None and recorded_ms != NO_TIME_MS and sent_ms > recorded_ms:
        sent_at = to_datetime(clamped_ms(sent_ms, recorded_ms=recorded_ms))
    seen_until = min(heartbeat.seen_until, sent_at)
    seen_from = heartbeat.seen_from and min(heartbeat.seen_from, seen_until)
    return structs.replace(heartbeat, sent_at=sent_at, seen_until=seen_until, seen_from=seen_from)
