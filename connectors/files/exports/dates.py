"""Dates as exports write them. Slashed dates are read in one order for a whole file."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from flatline.domain.time import EARLIEST
from flatline_connectors.files.exports.errors import UnreadableExport
from flatline_connectors.files.exports.values import text_of

_SLASHED: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?=\D|$)")
_DOTTED: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?=\D|$)")
_YEAR_FIRST: Final = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?=\D|$)")
_NAMED_MONTH: Final = ("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%b %d %Y")
_MONTHS: Final = 12
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
# The smallest number of digits that is a time in this unit, and the units in a second.
_UNITS_BY_DIGITS: Final = ((18, 10**9), (15, 10**6), (12, 10**3), (9, 1))


class DateOrder(StrEnum):
    """How a file writes 03/04/2026."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


def order_of(texts: Iterable[str], *, stated: DateOrder | None, where: str) -> DateOrder | None:
    """Return the order of a file's slashed dates; None if it has none, or if all are the same day in both orders.

    Raise `UnreadableExport` if they contradict each other, or if nothing shows the order and nobody ``stated`` it.
    """
    has_day_first = has_month_first = is_unclear = False
    for text in texts:
        if "/" in text and (parts := _SLASHED.match(text_of(text))):
            first, second = int(parts[1]), int(parts[2])
            has_day_first |= first > _MONTHS
            has_month_first |= second > _MONTHS
            is_unclear |= first != second
    if has_day_first and has_month_first:
        raise UnreadableExport(
            f"{where}: some dates have the day first and others the month.", remedy="Correct the file."
        )
    if has_day_first or has_month_first:
        return DateOrder.DAY_FIRST if has_day_first else DateOrder.MONTH_FIRST
    if is_unclear and stated is None:
        raise UnreadableExport(
            f"{where}: nothing tells whether 03/04/2026 is in March or in April.",
            remedy="Say it with --date-order day-first or --date-order month-first.",
        )
    return stated


@lru_cache(maxsize=65_536)
def instant_of(cell: str, order: DateOrder | None = None) -> datetime | None:
    """Return the instant in a cell; UTC if it has no zone, 00:00 for a day, None for an empty cell.

    Raise ValueError for anything else, and for instants before the web or far in the future. Missing parts are never
    filled in: a year alone is no date.
    """
    text = text_of(cell)
    if not text:
        return None
    instant = _numeric(text) if text.isdecimal() else _written(text, order)
    instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    if not EARLIEST <= instant <= _LATEST:
        raise ValueError(f"{text!r} is no time at which a link can have been seen")
    return instant


def _numeric(text: str) -> datetime:
    if len(text) == 8:  # noqa: PLR2004
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC)
    for digits, units in _UNITS_BY_DIGITS:
        if len(text) >= digits:
            return _EPOCH + timedelta(seconds=int(text) / units)
    raise ValueError(f"{text!r} is no date")


def _written(text: str, order: DateOrder | None) -> datetime:
    if parts := _SLASHED.match(text):
        if order is None and parts[1] != parts[2]:
            raise ValueError(f"{text!r} may have the day or the month first")
        day, month = (parts[1], parts[2]) if order is DateOrder.DAY_FIRST else (parts[2], parts[1])
        text = f"{parts[3]}-{int(month):02}-{int(day):02}{text[parts.end() :]}"
    elif parts := _DOTTED.match(text):
        text = f"{parts[3]}-{int(parts[2]):02}-{int(parts[1]):02}{text[parts.end() :]}"
    elif parts := _YEAR_FIRST.match(text):
        text = f"{parts[1]}-{int(parts[2]):02}-{int(parts[3]):02}{text[parts.end() :]}"
    if text[:4].isdecimal() and text[4:5] == "-":
        return datetime.fromisoformat(text.replace(" +", "+").replace(" UTC", "Z").replace(" Z", "Z"))
    for form in _NAMED_MONTH:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no date")
