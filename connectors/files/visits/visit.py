"""What one row of a log or an export says: one visit, or several, from one referring page to one address."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from flatline.schema.rejection import Reason, Rejected

_DAY: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ].*)?", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# The smallest number of digits that is a time in this unit, and the units in a second.
_UNITS_BY_DIGITS: Final = ((18, 10**9), (15, 10**6), (12, 10**3), (9, 1))


class Visit(NamedTuple):
    """Visits of one day.

    ``host``      whose page was visited; empty where the source does not say
    ``address``   the page's path, perhaps with a query, or its whole address
    ``referrer``  the referring page or host, as the source writes it
    ``visits``    how many there were
    """

    host: str
    address: str
    referrer: str
    day: date
    visits: int = 1


def day_of(text: str) -> date:
    """Return the day of ``2026-01-31``, ``20260131``, or of an instant that begins so; raise `Rejected`."""
    found = _DAY.fullmatch(text)
    if found is not None:
        with suppress(ValueError):
            return date(*map(int, found.groups()))
    raise Rejected(Reason.INVALID_TIME, f"{text[:40]!r} is no day")


def day_of_timestamp(value: object) -> date:
    """Return the UTC day of an instant: RFC 3339, or a number since 1970 in s, ms, us or ns. Raise `Rejected`."""
    try:
        match value:
            case str() if not value.isdecimal():
                return datetime.fromisoformat(value).astimezone(UTC).date()
            case str() | int():
                digits = str(value)
                units = next(units for length, units in _UNITS_BY_DIGITS if len(digits) >= length)
                return (_EPOCH + timedelta(seconds=int(digits) // units)).date()
    except (ValueError, OverflowError, StopIteration):
        pass
    raise Rejected(Reason.INVALID_TIME, "the time is neither RFC 3339 nor a number of seconds since 1970")


def count_of(text: str) -> int:
    """Return a number of visits, which may be grouped: ``1,240``. Raise `Rejected`."""
    plain = text.strip()
    for separator in (",", ".", " ", "\u00a0", "\u202f", "'"):
        parts = plain.split(separator)
        if len(parts) > 1 and 0 < len(parts[0]) <= 3 and all(len(part) == 3 for part in parts[1:]):  # noqa: PLR2004
            plain = "".join(parts)
    if not (plain.isascii() and plain.isdecimal()):
        raise Rejected(Reason.WRONG_TYPE, f"{text[:40]!r} is no number of visits")
    return int(plain)
