"""Datetimes of callers, who may forget the time zone."""

from datetime import datetime

from flatline.domain.time import to_ms


def ms_of(name: str, instant: datetime) -> int:
    """Return ms since the epoch. Raises ValueError, which says ``name``, for a datetime without a time zone."""
    if instant.tzinfo is None:
        raise ValueError(f"{name} has no time zone: datetime(2026, 1, 31, tzinfo=UTC) has one")
    return to_ms(instant)
