"""Recognises the tool that wrote a table by its columns, and checks that these hold what their names say."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final

from flatline_connectors.files.exports.columns import Columns
from flatline_connectors.files.exports.dates import DateOrder, instant_of
from flatline_connectors.files.exports.errors import UnreadableExport
from flatline_connectors.files.exports.format import Format
from flatline_connectors.files.exports.formats import FORMATS
from flatline_connectors.files.exports.formats.hand_kept import FIELDS
from flatline_connectors.files.exports.table import Table, TableRow, column_key
from flatline_connectors.files.exports.values import address_of, text_of

_CHECKED_ROWS: Final = 20
_SHOWN: Final = 3
_KNOWN_COLUMNS: Final = {
    column_key(name)
    for kind in FORMATS
    for required in kind.required
    for name in ((required,) if isinstance(required, str) else required)
} | {column_key(name) for names in FIELDS.values() for name in names}


def is_header(cells: Sequence[str]) -> bool:
    """Whether a row can be a header: it fits a format, or has two known names."""
    return any(kind.fits(cells) for kind in FORMATS) or (
        sum(column_key(cell) in _KNOWN_COLUMNS for cell in cells) >= 2  # noqa: PLR2004
    )


def format_of(table: Table, *, insisted: str | None = None) -> Format:
    """Return the format of a table. Raise `UnreadableExport` if it has none, or one that can't be read."""
    if insisted is not None:
        kind = named(insisted)
        if missing := kind.missing(table.header):
            raise UnreadableExport(f"{table.name} is not {insisted}: it has no column {', '.join(missing)}.")
    else:
        found = next((kind for kind in FORMATS if kind.fits(table.header)), None)
        if found is None:
            raise UnreadableExport(unknown(table.name, [table.header]))
        kind = found
    if kind.read is None:
        raise UnreadableExport(f"{table.name} is an export of {kind.tool} ({kind.name}): {kind.refusal}.")
    return kind


def named(name: str) -> Format:
    """Return the format with a name. Raise `UnreadableExport` if there is none."""
    for kind in FORMATS:
        if kind.name == name:
            return kind
    names = ", ".join(kind.name for kind in FORMATS if kind.read)
    raise UnreadableExport(f"No format is called {name}. There are {names}.")


def unknown(name: str, headers: Sequence[Sequence[str]]) -> str:
    """Return the error for a file in none of the formats: what was found in it, and what would be accepted."""
    lines = [
        f"{name} is no export that is known.",
        *(f"  found: {', '.join(cell.strip() for cell in header)[:300]}" for header in headers[:_SHOWN]),
    ]
    closest = sorted((kind for kind in FORMATS if kind.read), key=lambda kind: _distance(kind, headers))
    for kind in closest[:_SHOWN]:
        missing = kind.missing(headers[0] if headers else [])
        shown = [names if len(names) <= 60 else f"{names[:57]}…" for names in missing]  # noqa: PLR2004
        lines.append(f"  {kind.name} would need: {', '.join(shown)}")
    lines.append("Name the columns yourself: --map url_from=COLUMN --map url_to=COLUMN (also anchor, first_seen, …).")
    return "\n".join(lines)


def _distance(kind: Format, headers: Sequence[Sequence[str]]) -> float:
    return len(kind.missing(headers[0] if headers else [])) / len(kind.required)


def mapped(table: Table, columns_by_field: Mapping[str, str]) -> Table:
    """Return the table with columns renamed as the user said. Raise `UnreadableExport` for a column that is missing."""
    header = list(table.header)
    keys = [column_key(name) for name in header]
    for field, column in columns_by_field.items():
        if field not in FIELDS:
            raise UnreadableExport(f"--map {field}={column}: there is no {field}; there are {', '.join(FIELDS)}.")
        if column_key(column) not in keys:
            raise UnreadableExport(f"{table.name} has no column {column}; it has {', '.join(table.header)}.")
        header[keys.index(column_key(column))] = field
    return Table(table.name, table.shape, header, table.rows, table.preamble)


def check_content(table: Table, kind: Format, rows: Sequence[TableRow], order: DateOrder | None) -> None:
    """Check that columns hold what their names say. Raise `UnreadableExport` if they do not."""
    columns = Columns(table.header)
    sample = [row.cells for row in rows if len(row.cells) == len(table.header)][:_CHECKED_ROWS]
    for name, is_right in chain(
        ((name, _is_address) for name in kind.urls), ((name, lambda cell: _is_date(cell, order)) for name in kind.dates)
    ):
        if name not in columns:
            continue
        texts = [text for cells in sample if (text := columns.raw(name)(cells).strip())]
        if texts and sum(map(is_right, texts)) * 2 < len(texts):
            shown = ", ".join(text[:40] for text in texts[:_SHOWN])
            raise UnreadableExport(
                f"{table.name}: column {name} holds {shown}{', …' if len(texts) > _SHOWN else ''}; "
                "header and rows don't belong together, so nothing was taken."
            )


def _is_address(cell: str) -> bool:
    address = address_of(cell)
    return "://" in address or ("." in address and " " not in address)


def _is_date(cell: str, order: DateOrder | None) -> bool:
    try:
        return text_of(cell) == "" or instant_of(cell, order or DateOrder.DAY_FIRST) is not None
    except ValueError:
        return False
