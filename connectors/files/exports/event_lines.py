"""Any file of links as lines of link events: Flatline's own NDJSON unchanged, exports converted."""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from flatline.schema import codec
from flatline.schema.codec import JSON_ERRORS
from flatline.schema.rejection import Rejected
from flatline_connectors.files.array import NotAnArray, TooComplex, elements
from flatline_connectors.files.exports.errors import UnreadableExport
from flatline_connectors.files.exports.events import events_of
from flatline_connectors.files.exports.opening import FILE_BYTES_MAX, decoded
from flatline_connectors.files.exports.reading import Options, Recognised, RejectedRow, read_export
from flatline_connectors.files.exports.scrapy_items import is_item, rows_of
from flatline_connectors.files.lines import Line, LineFile, UnusableLine

Report = Callable[[Recognised], object]

OUR_FORMAT: Final = "flatline"
_SCRAPY: Final = "scrapy-items"
_MARKS_OF_WIDE_TEXT: Final = (b"\xff\xfe", b"\xfe\xff")
_HEAD_BYTES: Final = 1 << 16
_TRIED: Final = 100
_raw_array: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


class _Ends(msgspec.Struct):
    url_from: str
    url_to: str
    first_seen: msgspec.Raw | None = None
    first_seen_link: msgspec.Raw | None = None


_ends_of: Final = msgspec.json.Decoder(_Ends).decode


def event_lines(file: LineFile, options: Options, report: Report) -> Iterator[Line | UnusableLine]:
    """Yield the link events of a file as JSON. ``report`` gets what was recognised, before the events.

    Raise `UnreadableFile` and `UnreadableExport`.
    """
    first = file.first_line()
    start = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    if options.format == OUR_FORMAT or (options.format is None and _is_our_line(start)):
        report(Recognised(file.name, "NDJSON", OUR_FORMAT, "Flatline", "", []))
        yield from file
    elif options.format == _SCRAPY or (options.format is None and is_item(start)):
        yield from _of_items(file, options, report)
    else:
        data = file.whole(FILE_BYTES_MAX)
        if not data.strip():
            return
        if options.format is None and (lines := _our_events(file.name, data)) is not None:
            report(Recognised(file.name, "JSON", OUR_FORMAT, "Flatline", "", [], rows=len(lines)))
            yield from (Line(number, line) for number, line in enumerate(lines, start=1) if line.strip())
            return
        number = 0
        for found in read_export(file.name, data, options, report):
            if isinstance(found, RejectedRow):
                yield UnusableLine(found.number, found.text.encode(errors="replace"), found.rejected)
            else:
                number += 1
                yield Line(number, codec.links.encode(found))


def _is_our_line(start: bytes) -> bool:
    """Whether a file that begins with this line is NDJSON of our own: an object on each line, and no vendor's response.

    A line that can't be read counts as a bad line of such a file, unless it looks like the beginning of a document.
    """
    if not start.startswith(b"{") or start.rstrip().endswith((b"{", b"[", b",")) or start.rstrip() == b"{}":
        return start.rstrip() == b"{}"
    try:
        fields = msgspec.json.decode(start, type=dict[str, msgspec.Raw])
    except JSON_ERRORS:
        return True
    return not fields.keys() & {
        "backlinks",
        "DataTables",
        "tasks",
        "results",
        "data",
        "d",
        "error",
        "ErrorCode",
        "links",
    }


def _our_events(name: str, data: bytes) -> list[bytes] | None:
    """Return the events of a file that is one JSON array of them, or NDJSON in UTF-16; else None."""
    if data.startswith(_MARKS_OF_WIDE_TEXT):
        _, text = decoded(name, data)
        return text.encode().splitlines() if text.lstrip().startswith("{") else None
    data = data.removeprefix(b"\xef\xbb\xbf")
    start = data.lstrip()[:1]
    if start != b"[":
        # Bad lines before good ones.
        is_ours = start != b"{" and any(line.lstrip().startswith(b"{") for line in data[:_HEAD_BYTES].splitlines()[1:])
        return data.splitlines() if is_ours else None
    events = _elements(data)
    for event in events[:_TRIED]:
        try:
            ends = _ends_of(event)
        except JSON_ERRORS:
            continue  # one bad event, perhaps
        return events if ends.first_seen is None and ends.first_seen_link is None else None
    return None


def _elements(data: bytes) -> list[bytes]:
    """Return the elements of a JSON array; nothing if it is none, or can't be split."""
    try:
        return [bytes(element) for element in _raw_array(data)]
    except JSON_ERRORS:
        try:
            return list(elements(data))
        except (NotAnArray, TooComplex):
            return []


def _of_items(file: LineFile, options: Options, report: Report) -> Iterator[Line | UnusableLine]:
    if options.is_ours is None:
        raise UnreadableExport(
            f"{file.name} holds pages of a Scrapy spider with all their links.",
            remedy="Say which sites are yours with --site.",
        )
    source = options.source or "scrapy"
    recognised = Recognised(file.name, "NDJSON", _SCRAPY, "Scrapy", source, [])
    report(recognised)
    for line in file:
        recognised.rows += 1
        try:
            for row in rows_of(line.value, options.is_ours):
                recognised.links += 1
                for event in events_of(
                    row, source=source, exported_at=options.exported_at, history_before=options.history_before
                ):
                    yield Line(line.number, codec.links.encode(event))
        except Rejected as rejected:
            yield UnusableLine(line.number, line.value, rejected)
