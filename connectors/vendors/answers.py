"""What is the same in the answers of all vendors: they are JSON, and rows say when they were seen."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from flatline.schema.codec import JSON_ERRORS
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.files.exports.dates import instant_of


def json_of(body: bytes) -> Any:
    """Return what an answer says. Raise `Rejected` for one that is no JSON."""
    try:
        return msgspec.json.decode(body)
    except JSON_ERRORS as error:
        raise Rejected(Reason.INVALID_JSON, str(error)) from None


def json_or_none(body: bytes) -> Any:
    """Return what an answer says; None for one that is no JSON."""
    try:
        return msgspec.json.decode(body)
    except JSON_ERRORS:
        return None


def instants_of(rows: Iterable[Any], column: str) -> list[datetime]:
    """Return when rows say that they were seen. Those that can't be read, which become dead letters, are left out."""
    return [instant for row in rows if (instant := _instant(row, column)) is not None]


def _instant(row: Any, column: str) -> datetime | None:
    said = row.get(column) if isinstance(row, dict) else None
    try:
        return instant_of(said) if isinstance(said, str) else None
    except ValueError:
        return None
