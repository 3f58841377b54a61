"""Lists as CSV and NDJSON."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import msgspec
from msgspec import Struct

CONTENT_TYPES: Final = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}

# What spreadsheets take for the beginning of a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_head(kind: type[Struct]) -> bytes:
    """Return the line with the names of the columns."""
    return _csv([kind.__struct_fields__])


def csv_rows(rows: Sequence[Struct]) -> bytes:
    """Return a line for each row. What has parts is JSON.

    A text that a spreadsheet would take for a formula begins with an apostrophe: anchors and titles are foreign.
    """
    return _csv([[_cell(getattr(row, name)) for name in row.__struct_fields__] for row in rows])


def ndjson_rows(rows: Sequence[Struct]) -> bytes:
    """Return a line of JSON for each row."""
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def _csv(lines: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str():
            text = str(value)
            return f"'{text}" if text.startswith(_FORMULA) else text
        case date():
            return msgspec.json.encode(value).decode().strip('"')
        case _:
            return msgspec.json.encode(value).decode()
