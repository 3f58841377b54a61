"""Instants in ms since the epoch, UTC days since 1970-01-01, and the event time of a link event.

An event time is clamped to what is possible.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Reason, Rejected

DAY_MS: Final = 86_400_000

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)

_FIRST_MS: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MS
_LAST_MS: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MS

# The day on which the first web page was announced: no link is older.
EARLIEST: Final = datetime(1991, 8, 6, tzinfo=UTC)
EARLIEST_MS: Final = (EARLIEST - _EPOCH) // _MS
# Some producers write record times in microseconds.
LATEST_MS: Final = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // _MS


def day_of(instant_ms: int) -> int:
    """Return the UTC day of an instant, counted from 1970-01-01."""
    return instant_ms // DAY_MS


def to_ms(instant: datetime) -> int:
    """Return an aware datetime as ms since the epoch, rounded down."""
    since = instant - _EPOCH  # its parts, as dividing it takes three times as long
    return since.days * DAY_MS + since.seconds * 1_000 + since.microseconds // 1_000


def to_datetime(instant_ms: int) -> datetime:
    """Return ms since the epoch as a datetime in UTC; the nearest that there is for one of no year from 1 to 9999.

    Such as 0001-01-01T00:00:00+14:00, which is a datetime, but not in UTC.
    """
    return _EPOCH + max(_FIRST_MS, min(instant_ms, _LAST_MS)) * _MS


def check_record_time(recorded_ms: int) -> None:
    """Raise `Rejected` for a record whose own time lies before EARLIEST_MS: its producer set none (-1), or nonsense.

    When its event came to be known decides what can be believed of it, and which of two records is the newer one.
    """
    if recorded_ms < EARLIEST_MS:
        detail = f"the record's own timestamp is {recorded_ms} ms, before the first web page: let your client set it"
        raise Rejected(Reason.INVALID_TIME, detail)


def check_stated_times(event: LinkEvent) -> None:
    """Raise `Rejected` for an event with a time before EARLIEST_MS, such as that of a clock that was never set."""
    for instant in (event.occurred_at, event.observed_at):
        if instant is not None and instant < EARLIEST:
            field = "occurred_at" if instant is event.occurred_at else "observed_at"
            raise Rejected(Reason.INVALID_TIME, f"{field} is {instant.isoformat()}, before the first web page")


def stated_ms(event: LinkEvent, *, recorded_ms: int) -> int:
    """Return ``occurred_at``, else ``observed_at``, else when the record was written; ms since the epoch."""
    instant = event.occurred_at or event.observed_at
    return recorded_ms if instant is None else to_ms(instant)


def clamped_ms(at_ms: int, *, recorded_ms: int) -> int:
    """Clamp a stated time to what is possible.

    Nothing happens before EARLIEST_MS or after ``recorded_ms``, the time at which its producer wrote the record: a
    property of the record, not of the reader, so that reading it again gives the same.
    """
    return max(EARLIEST_MS, min(at_ms, recorded_ms, LATEST_MS))
