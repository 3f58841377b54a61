"""Reads files of visits: which format they have, which of their rows count, and what these add up to.

Several files are read as one source: a day that a rotated log has in two files is added up. A file that comes twice,
perhaps packed and unpacked, counts once.
"""

import codecs
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import msgspec
import xxhash

from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.files.exports.columns import Columns
from flatline_connectors.files.exports.errors import UnreadableExport
from flatline_connectors.files.exports.opening import (
    BINARY_MAGICS,
    FILE_BYTES_MAX,
    NoTable,
    decoded,
    json_of,
    tables_of,
)
from flatline_connectors.files.exports.row import Skipped
from flatline_connectors.files.exports.table import Table, column_key
from flatline_connectors.files.lines import Line, LineFile, UnusableLine
from flatline_connectors.files.visits import access_log, cloudflare
from flatline_connectors.files.visits.columns import KINDS, ReadVisit, kind_of
from flatline_connectors.files.visits.documents import document_of
from flatline_connectors.files.visits.redaction import without_persons
from flatline_connectors.files.visits.totals import NO_SITES, Adding, NoHost, Sites, Totals, records_of
from flatline_connectors.files.visits.visit import Visit
from flatline_connectors.sending.visits import TABLE

OURS: Final = "flatline"
ACCESS_LOG: Final = "access-log"
CLOUDFLARE: Final = "cloudflare"
FORMATS: Final = (OURS, ACCESS_LOG, CLOUDFLARE)
"""What somebody may insist on. All other formats are told by their columns or members."""

_PER_LINE: Final[dict[str, Callable[[bytes], Visit | Skipped]]] = {
    ACCESS_LOG: access_log.visit_of,
    CLOUDFLARE: cloudflare.visit_of,
}
_READ_WHOLE_MAGICS: Final = (*BINARY_MAGICS, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_fields_of: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@dataclass(frozen=True)
class Options:
    """How files are to be read.

    ``today``    the day on which it is done: later ones can't be
    ``format``   one of `FORMATS`, where somebody insists; None: found out
    ``article``  the article that an answer of Matomo is about, whose address it does not hold
    ``source``   what records name as their source; None: the format
    """

    today: date
    sites: Sites = NO_SITES
    format: str | None = None
    article: str | None = None
    source: str | None = None


@dataclass
class Recognised:
    """What was recognised in a file, and what became of its rows. ``counted`` are those that were visits."""

    name: str
    format: str
    rows: int = 0
    counted: int = 0
    visits: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)


class VisitFiles:
    """Reads files one after the other. ``recognised`` has what was recognised in those that were read."""

    def __init__(self, options: Options) -> None:
        self.recognised: list[Recognised] = []
        self._options = options
        self._adding = Adding(options.sites, today=options.today)
        self._totals: dict[str, Totals] = {}
        self._names_by_digest: dict[bytes, str] = {}

    def read(self, file: LineFile) -> Iterator[Line | UnusableLine]:
        """Yield the lines of a file that are records, and those that can't be read; add up all others.

        Raise `UnreadableFile`, `UnreadableExport` and `NotATable`.
        """
        start = file.first_line()
        kind = self._options.format or _format_of(start)
        if kind == OURS:
            self.recognised.append(Recognised(file.name, OURS))
            yield from TABLE.as_ndjson(file)
        elif kind is not None:
            yield from self._read_lines(file, kind)
        else:
            yield from self._read_whole(file.name, file.whole(FILE_BYTES_MAX))

    def records(self) -> Iterator[bytes]:
        """Yield what all visits add up to, as visits records."""
        for source, totals in sorted(self._totals.items()):
            yield from records_of(totals, source=self._options.source or source)

    def _read_lines(self, file: LineFile, kind: str) -> Iterator[UnusableLine]:
        recognised, visit_of = Recognised(file.name, kind), _PER_LINE[kind]
        totals, digest = Totals(), xxhash.xxh3_128()
        for line in file:
            digest.update(line.value)
            digest.update(b"\n")
            try:
                row: Visit | Skipped | Rejected = visit_of(line.value)
            except Rejected as rejected:
                if not recognised.counted and access_log.has_no_referrer(line.value):
                    raise UnreadableExport(
                        f"{file.name} is a log in the common format, which does not say where visits came from.",
                        remedy="Have the server write the combined format.",
                    ) from None
                row = rejected
            try:
                self._add(recognised, totals, row)
            except Rejected as rejected:
                yield UnusableLine(line.number, without_persons(line.value), rejected)
        self._finish(recognised, totals, digest.digest())

    def _read_whole(self, name: str, data: bytes) -> Iterator[UnusableLine]:
        if not data.strip():
            return
        found = list[tuple[Recognised, Totals]]()
        text = None if data.startswith(BINARY_MAGICS) else decoded(name, data)[1].lstrip()
        if text is not None and text[:1] in {"{", "["}:
            document = document_of(name, json_of(name, text, remedy="Save it again."), article=self._options.article)
            recognised, totals = Recognised(name, document.format, remarks=document.remarks), Totals()
            found.append((recognised, totals))
            for number, row in document.rows:
                try:
                    self._add(recognised, totals, row)
                except Rejected as rejected:
                    # Of a visit of Matomo's nothing is kept: it names people in many members.
                    yield UnusableLine(number, b"", rejected)
        else:
            try:
                for table in tables_of(name, data, is_header=lambda cells: kind_of(cells) is not None):
                    yield from self._read_table(table, found)
            except NoTable as none:
                raise UnreadableExport(_unknown(name, none), remedy=_REMEDY) from None
        digest = xxhash.xxh3_128(data).digest()
        for place, (recognised, totals) in enumerate(found):
            self._finish(recognised, totals, digest + bytes([place]))

    def _read_table(self, table: Table, found: list[tuple[Recognised, Totals]]) -> Iterator[UnusableLine]:
        kind = kind_of(table.header)
        assert kind is not None
        if kind.read is None:
            raise UnreadableExport(f"{table.name} can't be counted ({kind.name}): {kind.refusal}.", remedy=kind.remedy)
        recognised, totals = Recognised(table.name, kind.name), Totals()
        found.append((recognised, totals))
        read: ReadVisit | None = kind.read(Columns(table.header))
        width, is_header_next = len(table.header), False
        for row in table.rows:
            if row.cells[0].startswith("#"):  # Google Analytics: another report begins
                read, is_header_next = None, True
                continue
            if is_header_next:
                kind, is_header_next, width = kind_of(row.cells), False, len(row.cells)
                read = kind.read(Columns(row.cells)) if kind is not None and kind.read is not None else None
                continue
            if read is None:
                recognised.skipped["of another report in the file"] += 1
                continue
            try:
                self._add(recognised, totals, read(_whole(row.cells, width)))
            except Rejected as rejected:
                yield UnusableLine(row.number, without_persons("\t".join(row.cells).encode()), rejected)

    def _add(self, recognised: Recognised, totals: Totals, row: Visit | Skipped | Rejected) -> None:
        recognised.rows += 1
        if isinstance(row, Rejected):
            raise row
        try:
            key = row if isinstance(row, Skipped) else self._adding.key_of(row)
        except NoHost:
            raise UnreadableExport(
                f"{recognised.name} does not say which site was visited.", remedy="Name it: --site yours.example."
            ) from None
        if isinstance(key, Skipped):
            recognised.skipped[key.why] += 1
            return
        assert isinstance(row, Visit)
        totals[key] += row.visits
        recognised.counted += 1
        recognised.visits += row.visits

    def _finish(self, recognised: Recognised, totals: Totals, digest: bytes) -> None:
        self.recognised.append(recognised)
        if first := self._names_by_digest.get(digest):
            recognised.remarks.append(f"has the same content as {first}, and is not counted again")
            return
        self._names_by_digest[digest] = recognised.name
        self._totals.setdefault(recognised.format, Totals()).update(totals)


def _whole(cells: Sequence[str], width: int) -> Sequence[str]:
    """Return the cells of a row. Raise `Rejected` for a wrong number of them."""
    if len(cells) != width:
        raise Rejected(Reason.INVALID_VALUE, f"the row has {len(cells)} cells, and its header {width}")
    return cells


_REMEDY: Final = "connectors/README.md lists what can be read; --format insists on a log format."


def _format_of(start: bytes) -> str | None:
    """Return the format of a file of lines by its first one; None for what has to be read whole."""
    if start.startswith(_READ_WHOLE_MAGICS):
        return None
    text = start.decode(errors="replace").lstrip("\ufeff").strip()
    if not text:
        return OURS if not start.endswith(b"\n") else None
    if text.startswith("{"):
        return _format_of_object(text)
    if text.startswith("["):
        return None
    if access_log.is_log_line(text):
        return ACCESS_LOG
    columns = {column_key(cell) for separator in ",;\t" for cell in text.split(separator)}
    return OURS if "url" in columns else None


def _format_of_object(text: str) -> str | None:
    if '"EdgeStartTimestamp"' in text or '"ClientRequest' in text:
        return CLOUDFLARE
    try:
        fields = _fields_of(text.encode())
    except (msgspec.DecodeError, RecursionError):
        # The first line of a document that goes on, or a bad line of our own.
        return None if text.endswith(("{", "[", ",")) else OURS
    is_document = fields.keys() & {"results", "result", "error", "zip"} or (
        fields and all(name[:4].isdecimal() and name[4:5] == "-" for name in fields)
    )
    return None if is_document else OURS


def _unknown(name: str, none: NoTable) -> str:
    shown = "; ".join(", ".join(cell.strip() for cell in header)[:300] for header in none.headers[:3])
    known = "\n".join(
        f"  {kind.name} would need: {', '.join(names[0] for names in kind.required)}" for kind in KINDS if kind.read
    )
    return f"{name} holds no visits that are known.\n  found: {shown}\n{known}"
