"""Saved JSON responses of vendors' APIs as tables: objects become rows, their members columns."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

import orjson

from flatline_connectors.files.exports.errors import UnreadableExport
from flatline_connectors.files.exports.table import Table, TableRow

# Where vendors put their rows.
_PLACES: Final = (
    ("backlinks",),  # Ahrefs
    ("DataTables", "BackLinks", "Data"),  # Majestic
    ("tasks", "result", "items"),  # DataForSEO
    ("results",),  # Moz
    ("data",),  # Semrush
)
_OK_DATAFORSEO: Final = 20_000


def rows_of_answer(name: str, answer: Any) -> Table:
    """Return the rows of a response. Raise `UnreadableExport`, for an error response in the vendor's own words."""
    _raise_vendor_error(name, answer)
    if isinstance(answer, list):
        found: list[Any] | None = answer
    else:
        found = next((rows for place in _PLACES if (rows := _at(answer, place)) is not None), None)
    if found is None:
        kind = ", ".join(map(str, answer)) if isinstance(answer, dict) else type(answer).__name__
        raise UnreadableExport(f"{name} is JSON without rows that are known; it has {kind[:200]}.")
    rows = [dict(_flat(row)) for row in found if isinstance(row, dict)]
    header = list(dict.fromkeys(column for row in rows for column in row))
    return Table(name, "JSON", header, _table_rows(rows, header))


def _table_rows(rows: Sequence[Mapping[str, str]], header: Sequence[str]) -> Iterator[TableRow]:
    for number, row in enumerate(rows, start=1):
        yield TableRow(number, [row.get(column, "") for column in header])


def _at(answer: Any, place: Sequence[str]) -> list[Any] | None:
    """Return the rows at a path; all elements of lists on the way are followed."""
    if not place:
        return answer if isinstance(answer, list) else None
    if isinstance(answer, list):
        found = [rows for part in answer if (rows := _at(part, place)) is not None]
        return list(chain.from_iterable(found)) if found else None
    return _at(answer[place[0]], place[1:]) if isinstance(answer, dict) and place[0] in answer else None


def _flat(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for member, value in row.items():
        name = f"{prefix}{member}"
        match value:
            case dict():
                yield from _flat(value, f"{name} ")
            case list() if all(isinstance(part, dict) for part in value):
                yield name, "\n".join(str(part.get("url", "")) for part in value)
            case list():
                yield name, "\n".join(str(part) for part in value if part is not None)
            case None:
                yield name, ""
            case bool():
                yield name, "true" if value else "false"
            case str():
                yield name, value
            case _:
                yield name, orjson.dumps(value).decode()


def _raise_vendor_error(name: str, answer: Any) -> None:
    if not isinstance(answer, dict):
        return
    if answer.get("Code", "OK") != "OK":  # Majestic, with HTTP status 200
        raise UnreadableExport(f"{name} is an error of Majestic: {answer.get('ErrorMessage') or answer['Code']}.")
    if "ErrorCode" in answer:
        raise UnreadableExport(f"{name} is an error of Bing: {answer.get('Message') or answer['ErrorCode']}.")
    if "error" in answer:
        error = answer["error"]
        raise UnreadableExport(f"{name} is an error: {error.get('message') if isinstance(error, dict) else error}.")
    if "d" in answer:
        raise UnreadableExport(f"{name} is an answer of Bing that does not name the page that is linked to.")
    tasks = answer.get("tasks")
    if not isinstance(tasks, list):
        return
    for status in (answer, *(task for task in tasks if isinstance(task, dict))):
        code = status.get("status_code", _OK_DATAFORSEO)
        if code != _OK_DATAFORSEO:
            raise UnreadableExport(f"{name} is an error of DataForSEO: {status.get('status_message') or code}.")
