"""Dates of sitemaps (https://www.w3.org/TR/NOTE-datetime)."""

import re
from datetime import UTC, datetime
from typing import Final

# With the time, a zone is required; those without one are taken for UTC.
_FORM: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:\.(\d+))?\s*(Z|[+-]\d\d:?\d\d)?)?", re.ASCII | re.IGNORECASE
)


def w3c_date(text: str) -> datetime | None:
    """Return the instant, a day's being 0:00 UTC; None for a year or a month alone, and for what is no date.

    >>> w3c_date("2026-11-21T08:55+01:00").isoformat()
    '2026-11-21T08:55:00+01:00'
    >>> w3c_date("2026") is None
    True
    """
    found = _FORM.fullmatch(text.strip())
    if not found:
        return None
    day, minutes, seconds, fraction, zone = found.groups()
    whole = f"{day}T{minutes or '00:00'}{seconds or ':00'}.{(fraction or '0')[:6].ljust(6, '0')}"
    try:
        instant = datetime.fromisoformat(whole + (zone or "Z").upper())
        instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return instant
