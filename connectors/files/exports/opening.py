"""Opens files as tables: encodings, archives, spreadsheets and JSON responses."""

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

import charset_normalizer
import orjson
import python_calamine

from flatline_connectors.files.exports.answers import rows_of_answer
from flatline_connectors.files.exports.errors import UnreadableExport
from flatline_connectors.files.exports.table import HEADER_WITHIN_LINES, Table, TableRow, table_of
from flatline_connectors.files.lines import unpacked_bytes_max

IsHeader = Callable[[Sequence[str]], bool]

FILE_BYTES_MAX: Final = 1 << 30
_ENTRIES_MAX: Final = 200
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
BINARY_MAGICS: Final = (b"PK\x03\x04", _OLD_EXCEL)
"""How files begin that hold tables and no text: zip archives, which workbooks are too, and old workbooks."""
_SAMPLE_BYTES: Final = 1 << 16


class NoTable(UnreadableExport):
    """No table with known columns was found in the file. ``headers`` are the first lines that were found."""

    def __init__(self, name: str, headers: Sequence[Sequence[str]]) -> None:
        super().__init__(f"{name}: no line names columns that are known")
        self.headers = headers


def tables_of(name: str, data: bytes, *, is_header: IsHeader) -> Iterator[Table]:
    """Yield the tables in a file. Raise `UnreadableExport`, as `NoTable` if there is none."""
    if data.startswith(BINARY_MAGICS):
        yield from _of_zip(name, data, is_header)
        return
    encoding, text = decoded(name, data)
    if text.startswith("ERROR "):  # Semrush's text API, with HTTP status 200
        if "NOTHING FOUND" in text:
            return
        raise UnreadableExport(f"{name} is an error of Semrush: {text[:200].strip()}")
    if text.lstrip()[:1] in {"{", "["}:
        yield rows_of_answer(name, json_of(name, text))
        return
    table = table_of(name, encoding, text, is_header=is_header)
    if table is None:
        raise NoTable(name, [[line] for line in text.splitlines()[:1]])
    yield table


def decoded(name: str, data: bytes) -> tuple[str, str]:
    """Return the encoding of a text file, for people, and its text. Raise `UnreadableExport` if it is cut off."""
    for mark, codec, words in (
        (b"\xff\xfe", "utf-16", "UTF-16"),
        (b"\xfe\xff", "utf-16", "UTF-16"),
        (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8"),
    ):
        if data.startswith(mark):
            return words, _decode(name, data, codec)
    sample = data[:_SAMPLE_BYTES]
    if sample[1::2].count(0) > len(sample) // 6:
        return "UTF-16", _decode(name, data, "utf-16-le")
    try:
        return "UTF-8", data.decode()
    except UnicodeDecodeError:
        guess = charset_normalizer.from_bytes(sample).best()
    codec = guess.encoding if guess else "cp1252"
    return f"{codec} (guessed)", data.decode(codec, errors="replace")


def _decode(name: str, data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise UnreadableExport(f"{name} is broken or cut off after {error.start:,} bytes: {error.reason}.") from None


def json_of(name: str, text: str, *, remedy: str = UnreadableExport.remedy) -> Any:
    """Return the JSON value in a text. Raise `UnreadableExport`, with its usual remedy or another."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UnreadableExport(f"{name} begins as JSON and is none: {error}.", remedy=remedy) from None


def _of_zip(name: str, data: bytes, is_header: IsHeader) -> Iterator[Table]:
    if data.startswith(_OLD_EXCEL):
        yield from _of_workbook(name, data, is_header)
        return
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:  # noqa: BLE001 - zipfile has an error of its own for each kind of damage
        raise UnreadableExport(f"{name} is a broken zip archive: {error}.") from None
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if any(entry.filename in {"xl/workbook.xml", "xl/workbook.bin", "content.xml"} for entry in entries):
        _check_sizes(name, entries, len(data))
        yield from _of_workbook(name, data, is_header)
        return
    _check_sizes(name, entries, len(data))
    found, headers = False, list[Sequence[str]]()
    for entry in entries:
        content = _unpacked(name, archive, entry)
        try:
            for table in tables_of(f"{name}:{entry.filename}", content, is_header=is_header):
                found = True
                yield table
        except NoTable as none:
            headers += none.headers
        except RecursionError:
            raise UnreadableExport(f"{name}: {entry.filename} holds too many archives within archives.") from None
    if not found:
        raise NoTable(name, headers)


def _unpacked(name: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(entry)
    except Exception as error:  # noqa: BLE001 - a password, an unknown method, or damage: each has its own error
        raise UnreadableExport(f"{name}: {entry.filename} can't be unpacked: {error}.") from None


def _check_sizes(name: str, entries: Sequence[zipfile.ZipInfo], packed_bytes: int) -> None:
    plain_bytes = sum(entry.file_size for entry in entries)
    if len(entries) > _ENTRIES_MAX or plain_bytes > unpacked_bytes_max(packed_bytes, FILE_BYTES_MAX):
        raise UnreadableExport(
            f"{name} holds {len(entries):,} files with {plain_bytes:,} bytes, which is more than an export has.",
            remedy="Unpack it yourself.",
        )


def _of_workbook(name: str, data: bytes, is_header: IsHeader) -> Iterator[Table]:
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = {sheet: book.get_sheet_by_name(sheet).to_python(skip_empty_area=False) for sheet in book.sheet_names}
    except Exception as error:  # noqa: BLE001 - calamine has an error of its own for each kind of damage
        raise UnreadableExport(f"{name} is a broken or locked workbook: {error}.") from None
    found, headers = False, list[Sequence[str]]()
    for sheet, values in sheets.items():
        head = [[_cell_text(value) for value in row] for row in values[:HEADER_WITHIN_LINES]]
        place = next((place for place, row in enumerate(head) if is_header(row)), None)
        if place is None:
            headers += head[:1]
            continue
        found = True
        width = len(head[place])
        rows = (
            TableRow(number, (cells + [""] * width)[:width])
            for number, row in enumerate(values[place + 1 :], start=place + 2)
            if any(cells := [_cell_text(value) for value in row])
        )
        yield Table(f"{name}:{sheet}", "workbook", head[place], rows, head[:place])
    if not found:
        raise NoTable(name, headers)


def _cell_text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() | date():
            return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
        case _:
            return str(value)
