"""The definition of a format: its name, the columns that identify it, and how to read its rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flatline_connectors.files.exports.columns import Columns, ReadRow
from flatline_connectors.files.exports.table import column_key


@dataclass(frozen=True)
class Export:
    """What is known of a file apart from its rows.

    ``exported_at``  when it was made, in UTC
    ``preamble``     the rows above the header
    ``is_ours``      whether an address is on our sites; None: unknown which these are
    """

    name: str
    exported_at: datetime
    preamble: Sequence[Sequence[str]] = ()
    is_ours: Callable[[str], bool] | None = None


@dataclass(frozen=True)
class Format:
    """A kind of export.

    ``required``  columns that must exist; of a tuple, one of them
    ``urls``      columns that must hold addresses if they exist; ``dates`` the same for dates
    ``is_only``   whether a file with further columns is of another kind
    ``roomy``     the column that takes surplus cells, for tools that do not quote; empty: none
    ``refusal``   why files of this kind can't be read; such a format has no reader
    """

    name: str
    tool: str
    required: Sequence[str | tuple[str, ...]]
    read: Callable[[Columns, Export], ReadRow] | None = None
    urls: Sequence[str] = ()
    dates: Sequence[str] = ()
    is_only: bool = False
    roomy: str = ""
    refusal: str = ""

    def fits(self, header: Sequence[str]) -> bool:
        """Whether a header is of this kind."""
        return not self.missing(header) and not (self.is_only and len(header) > len(self.required))

    def missing(self, header: Sequence[str]) -> list[str]:
        """Return the required columns that a header does not have."""
        keys = {column_key(name) for name in header}
        return [
            " or ".join(names)
            for names in ((required,) if isinstance(required, str) else required for required in self.required)
            if not keys & {column_key(name) for name in names}
        ]
