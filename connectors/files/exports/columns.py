"""The columns of a table, found by name and not by position."""

from collections.abc import Callable, Sequence
from datetime import datetime

from flatline_connectors.files.exports.dates import DateOrder, instant_of
from flatline_connectors.files.exports.row import Row, Skipped
from flatline_connectors.files.exports.table import column_key
from flatline_connectors.files.exports.values import is_yes, text_of

Cells = Sequence[str]
ReadRow = Callable[[Cells], Row | Skipped]


class Columns:
    """Makes readers for the cells of a table's columns. A missing column reads as empty."""

    def __init__(self, header: Sequence[str], *, order: DateOrder | None = None) -> None:
        self._places: dict[str, int] = {}
        for place, name in enumerate(header):
            self._places.setdefault(column_key(name), place)
        self._order = order

    def __contains__(self, name: str) -> bool:
        return column_key(name) in self._places

    def place(self, *names: str) -> int | None:
        """Return the index of the first of these columns that exists."""
        return next((place for name in names if (place := self._places.get(column_key(name))) is not None), None)

    def raw(self, *names: str) -> Callable[[Cells], str]:
        """Return a reader of the first of these columns that exists."""
        place = self.place(*names)
        if place is None:
            return lambda _: ""
        return lambda cells: cells[place]

    def text(self, *names: str) -> Callable[[Cells], str]:
        """Return a reader of texts. It costs no call for empty cells, which are the most frequent."""
        place = self.place(*names)
        if place is None:
            return lambda _: ""
        return lambda cells: text_of(cell) if (cell := cells[place]) else ""

    def yes(self, *names: str) -> Callable[[Cells], bool]:
        """Return a reader of booleans; missing and empty mean no."""
        place = self.place(*names)
        if place is None:
            return lambda _: False
        return lambda cells: is_yes(cells[place])

    def instant(self, *names: str) -> Callable[[Cells], datetime | None]:
        """Return a reader of instants, which raises ValueError for anything else."""
        place, order = self.place(*names), self._order
        if place is None:
            return lambda _: None
        return lambda cells: instant_of(cell, order) if (cell := cells[place]) else None

    def rel(self, **names: str) -> Callable[[Cells], frozenset[str] | None]:
        """Return a reader of rel from one boolean column for each token; None if there is no such column."""
        readers = [(token, self.yes(name)) for token, name in names.items() if name in self]
        if not readers:
            return lambda _: None
        return lambda cells: frozenset(token for token, is_set in readers if is_set(cells))
