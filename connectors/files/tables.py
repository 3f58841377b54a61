"""Reads tables whose columns are the fields of a record type: CSV with a header, or NDJSON."""

import csv
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

import msgspec

from flatline_connectors.errors import ConnectorError
from flatline_connectors.files.lines import Line, LineFile

_DELIMITERS: Final = (",", ";", "\t")


class NotATable(ConnectorError):
    """The lines are no such records at all. The message says what was found and what was looked for."""

    remedy = "Correct the file and import it again."


class Table:
    """The CSV form of a record type: its columns are the record's fields."""

    def __init__(
        self,
        noun: str,
        record_type: type[Any],
        required: Collection[str],
        from_texts: Callable[[dict[str, str]], bytes],
    ) -> None:
        """``from_texts`` makes a record, as JSON, of the texts of a row by their columns."""
        self._noun = noun
        self._columns = tuple(field.name for field in msgspec.structs.fields(record_type))
        self._required = required
        self._from_texts = from_texts

    def as_ndjson(self, file: LineFile) -> Iterator[Line]:
        """Return the lines of NDJSON as they are, and each row of CSV as a line of NDJSON.

        CSV is what doesn't begin with ``{``: its first line names the columns, in any order and letter case, and others
        than the record's are ignored. Raise `NotATable` if a required one is missing, or for text that isn't UTF-8.
        """
        lines = iter(file)
        first = next(lines, None)
        if first is None:
            return
        if first.value.lstrip().startswith(b"{"):
            yield first
            yield from lines
        else:
            yield from self._rows(file.name, first, lines)

    def _rows(self, name: str, first: Line, lines: Iterator[Line]) -> Iterator[Line]:
        header = _text(name, first)
        delimiter = max(_DELIMITERS, key=header.count)
        names = next(csv.reader([header], delimiter=delimiter))
        columns = [column.strip().lower().replace(" ", "_") for column in names]
        if missing := [column for column in self._columns if column in self._required and column not in columns]:
            raise NotATable(
                f"{name} is neither NDJSON nor CSV with a column {missing[0]}: "
                f"its first line is {header.strip()[:200]!r}.",
                remedy=f"The columns of {self._noun} are {', '.join(self._columns)}.",
            )
        rows = csv.reader((_text(name, line) for line in lines), delimiter=delimiter)
        for row in rows:
            texts = {column: text for column, text in zip(columns, row, strict=False) if column in self._columns}
            if any(row):
                yield Line(first.number + rows.line_num, self._from_texts(texts))


def _text(name: str, line: Line) -> str:
    try:
        return line.value.decode() + "\n"
    except UnicodeDecodeError:
        raise NotATable(f"{name}: line {line.number} is not UTF-8.", remedy="Save the file as UTF-8.") from None
