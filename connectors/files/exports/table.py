"""Turns text into a table: finds the header and the delimiter, and limits the damage of broken quotes to one row."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

DELIMITERS: Final = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}
HEADER_WITHIN_LINES: Final = 20
# A title with that many line breaks is a quote that nobody closed.
_LINES_A_ROW_MAX: Final = 50
# Titles and contexts may be long; more than any limit of ours is of no use.
csv.field_size_limit(1 << 24)


class TableRow(NamedTuple):
    """The cells of a row, and the number of its first line (in a spreadsheet: of the row), from 1.

    ``last_number``  the number of its last line
    """

    number: int
    cells: Sequence[str]
    last_number: int = 0


@dataclass(frozen=True)
class Table:
    """A header and its rows.

    ``name``      the file, with the sheet or the archive's entry
    ``shape``     how it is written, for people: "UTF-16, tab"
    ``preamble``  the rows above the header
    """

    name: str
    shape: str
    header: Sequence[str]
    rows: Iterator[TableRow]
    preamble: Sequence[Sequence[str]] = field(default_factory=tuple)


def column_key(name: str) -> str:
    """Return a column's name for comparisons, with letters and digits only: "Flag No Follow" is flagnofollow."""
    return "".join(character for character in name.casefold() if character.isalnum())


def table_of(name: str, encoding: str, text: str, *, is_header: Callable[[Sequence[str]], bool]) -> Table | None:
    """Return the table in a text; None if none of its first lines is a header with any delimiter."""
    lines = list(io.StringIO(text, newline=""))
    start = 0
    delimiters: Sequence[str] = tuple(DELIMITERS)
    if lines and lines[0].lower().startswith("sep="):
        start, delimiters = 1, [lines[0].strip()[4:5] or ";"]
    for delimiter in delimiters:
        head = list(_rows(lines[start : start + HEADER_WITHIN_LINES], delimiter, width=None))
        for place, row in enumerate(head):
            if is_header(row.cells):
                below = start + row.last_number
                shape = f"{encoding}, {DELIMITERS.get(delimiter, delimiter)}"
                rows = _numbered_from(below, _rows(lines[below:], delimiter, width=len(row.cells)))
                return Table(name, shape, row.cells, rows, [above.cells for above in head[:place]])
    return None


def _numbered_from(first: int, rows: Iterator[TableRow]) -> Iterator[TableRow]:
    return (TableRow(first + row.number, row.cells) for row in rows)


class _TooManyLinesError(Exception):
    """A row spans too many lines, so a quote was never closed."""


class _Lines:
    """Feeds lines from ``at`` on to a CSV reader, at most _LINES_A_ROW_MAX for one row."""

    def __init__(self, lines: Sequence[str], at: int) -> None:
        self._lines = lines
        self.at = self.row_began_at = at

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        if self.at == len(self._lines):
            raise StopIteration
        if self.at - self.row_began_at >= _LINES_A_ROW_MAX:
            raise _TooManyLinesError
        self.at += 1
        return self._lines[self.at - 1]


def _rows(lines: Sequence[str], delimiter: str, *, width: int | None) -> Iterator[TableRow]:
    """Yield the rows. If a row spans lines and does not have ``width`` cells, only its first line is lost."""
    feed = _Lines(lines, 0)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        begin = feed.row_began_at = feed.at
        try:
            row = next(reader, None)
        except (_TooManyLinesError, csv.Error):
            row = []
        if row is None:
            return
        if (not row and feed.at == begin + 1) or (feed.at > begin + 1 and len(row) != (width or len(row))):
            # A stray quote inside of a line does no harm; one that nobody closed costs its line.
            is_whole = feed.at == begin + 1
            line = lines[begin].rstrip("\r\n")
            row = next(csv.reader([line], delimiter=delimiter), []) if is_whole else [line]
            feed = _Lines(lines, begin + 1)
            reader = csv.reader(feed, delimiter=delimiter, strict=True)
        if any(map(str.strip, row)):
            yield TableRow(begin + 1, row, feed.at)
