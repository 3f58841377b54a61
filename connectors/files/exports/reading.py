"""Reads the link events in a file, and reports what was recognised, skipped and rejected."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from flatline.domain.urls.canonical import canonicalize_field
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.files.exports.columns import Columns
from flatline_connectors.files.exports.dates import DateOrder, order_of
from flatline_connectors.files.exports.errors import UnreadableExport
from flatline_connectors.files.exports.events import events_of
from flatline_connectors.files.exports.format import Export
from flatline_connectors.files.exports.merging import merged
from flatline_connectors.files.exports.opening import NoTable, tables_of
from flatline_connectors.files.exports.recognition import check_content, format_of, is_header, mapped, unknown
from flatline_connectors.files.exports.row import Row, Skipped
from flatline_connectors.files.exports.table import Table, TableRow, column_key

HISTORY: Final = timedelta(days=14)
"""A link that was first seen so long before the export is history, unless somebody says otherwise."""

_FLOOR: Final = frozenset({"floor"})
_USER: Final = re.compile(r"https?://[^/?#]*@", re.IGNORECASE)


@dataclass(frozen=True)
class Options:
    """How to read exports.

    ``exported_at``       when they were made, in UTC; a link lost at an unknown time was lost by then
    ``history_before``    links first seen before this are history; None: none is
    ``format``            the name of the format, if the user gave one; None: recognise it
    ``columns_by_field``  columns that the user named
    ``source``            the source of the events; None: the tool's name, such as ``ahrefs-export``
    ``is_ours``           whether an address is on our sites; None: unknown which these are
    ``is_part``           there are more links than they hold: each event says so
    """

    exported_at: datetime
    history_before: datetime | None = None
    format: str | None = None
    columns_by_field: Mapping[str, str] = field(default_factory=dict)
    date_order: DateOrder | None = None
    source: str | None = None
    is_ours: Callable[[str], bool] | None = None
    is_part: bool = False


@dataclass
class Recognised:
    """What was recognised in one table, and what became of its rows."""

    name: str
    shape: str
    format: str
    tool: str
    source: str
    used: list[str]
    rows: int = 0
    links: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


class RejectedRow(NamedTuple):
    """A row that can't be read; ``text`` has its cells, separated by tabs."""

    number: int
    text: str
    rejected: Rejected


def read_export(
    name: str, data: bytes, options: Options, report: Callable[[Recognised], object]
) -> Iterator[LinkEvent | RejectedRow]:
    """Yield the events of an export in any order; ``report`` gets each table before its first event.

    Raise `UnreadableExport` for a table before any of its events.
    """
    try:
        tables = list(tables_of(name, data, is_header=lambda cells: _is_header(cells, options)))
    except NoTable as none:
        raise UnreadableExport(unknown(name, none.headers)) from None
    refusals = []
    for table in tables:
        try:
            yield from _of_table(mapped(table, options.columns_by_field), options, report)
        except UnreadableExport as error:
            if len(tables) == 1:
                raise
            refusals.append(str(error))  # an archive holds lists that are no links, too
    if refusals and len(refusals) == len(tables):
        raise UnreadableExport("\n".join(refusals))


def _is_header(cells: Sequence[str], options: Options) -> bool:
    keys = {column_key(cell) for cell in cells}
    named = {column_key(column) for column in options.columns_by_field.values()}
    return named <= keys if named else is_header(cells)


def _of_table(
    table: Table, options: Options, report: Callable[[Recognised], object]
) -> Iterator[LinkEvent | RejectedRow]:
    kind = format_of(table, insisted=options.format)
    rows = list(table.rows)
    bare = Columns(table.header)
    dates = [bare.raw(name) for name in kind.dates if name in bare]
    width = len(table.header)
    order = order_of(
        (read(row.cells) for row in rows if len(row.cells) == width for read in dates),
        stated=options.date_order,
        where=table.name,
    )
    check_content(table, kind, rows, order)
    source = (
        options.source
        or f"{kind.tool.lower().replace(' ', '-') if kind.read and kind.name != 'hand-kept' else 'sheet'}-export"
    )
    recognised = Recognised(table.name, table.shape, kind.name, kind.tool, source, list(table.header), rows=len(rows))
    report(recognised)
    assert kind.read is not None
    export = Export(table.name, options.exported_at, table.preamble, options.is_ours)
    read_row = kind.read(Columns(table.header, order=order), export)
    room = bare.place(kind.roomy) if kind.roomy else None
    links: dict[tuple[str, str], Row] = {}
    for row in rows:
        try:
            link = read_row(_whole(row, width, room))
            if isinstance(link, Row):
                link = _checked(link, options)
            if isinstance(link, Skipped):
                recognised.skipped[link.why] += 1
                continue
            pair = (
                canonicalize_field(link.url_from, field="url_from"),
                canonicalize_field(link.url_to, field="url_to"),
            )
        except Rejected as rejected:
            yield RejectedRow(row.number, "\t".join(row.cells), rejected)
            continue
        except ValueError as error:
            yield RejectedRow(row.number, "\t".join(row.cells), Rejected(Reason.INVALID_TIME, str(error)))
            continue
        links[pair] = merged(links[pair], link) if pair in links else link
    recognised.links = len(links)
    for link in links.values():
        yield from events_of(
            msgspec.structs.replace(link, flags=link.flags | _FLOOR) if options.is_part else link,
            source=source,
            exported_at=options.exported_at,
            history_before=options.history_before,
        )


def _whole(row: TableRow, width: int, room: int | None) -> Sequence[str]:
    """Return the cells of a row, surplus ones joined if the format allows it. Raise `Rejected` for a wrong number."""
    surplus = len(row.cells) - width
    if room is not None and surplus > 0:
        cells = row.cells
        return [*cells[:room], "; ".join(cells[room : room + surplus + 1]), *cells[room + surplus + 1 :]]
    if surplus:
        detail = f"the row has {len(row.cells)} cells, and its header {width}"
        raise Rejected(Reason.INVALID_VALUE, detail)
    return row.cells


def _checked(link: Row, options: Options) -> Row | Skipped:
    for field_name, address in (("url_from", link.url_from), ("url_to", link.url_to)):
        if _USER.match(address):
            raise Rejected(Reason.INVALID_URL, f"{field_name}: an address with a user name")
    if options.is_ours is None:
        return link
    if not options.is_ours(link.url_to):
        return Skipped("leads to no site of yours")
    return Skipped("internal") if options.is_ours(link.url_from) else link
