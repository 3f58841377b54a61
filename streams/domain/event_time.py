"""When it happened: the event time of a link event, clamped to what is possible."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from streams.schema.link_event import LinkEvent

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)

# The day on which the first web page was announced: no link is older.
EARLIEST_MS: Final = (datetime(1991, 8, 6, tzinfo=UTC) - _EPOCH) // _MS
# Some producers write record times in microseconds.
LATEST_MS: Final = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // _MS


class EventTime(NamedTuple):
    """An instant in ms since the epoch, and whether it had to be clamped."""

    at_ms: int
    is_clamped: bool


def to_ms(instant: datetime) -> int:
    """Return an aware datetime as ms since the epoch, rounded down."""
    return (instant - _EPOCH) // _MS


def to_datetime(instant_ms: int) -> datetime:
    """Return ms since the epoch as a datetime in UTC."""
    return _EPOCH + instant_ms * _MS


def event_time(event: LinkEvent, *, recorded_ms: int) -> EventTime:
    """Return ``occurred_at``, else ``observed_at``, else when the record was written.

    Nothing happens before EARLIEST_MS or after ``recorded_ms``, the time at which its producer wrote the record: a
    property of the record, not of the reader, so that reading it again gives the same.
    """
    instant = event.occurred_at or event.observed_at
    stated_ms = recorded_ms if instant is None else to_ms(instant)
    possible_ms = max(EARLIEST_MS, min(stated_ms, recorded_ms, LATEST_MS))
    return EventTime(possible_ms, is_clamped=possible_ms != stated_ms)
