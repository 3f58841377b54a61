"""The records of a piece of a file. Each record is a gzip member of its own, so reading can begin at any of them."""

import zlib
from io import BytesIO
from typing import Final, NamedTuple

from fastwarc.warc import ArchiveIterator, WarcRecordType

from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.common_crawl.captures import WantedLinks, events_of

_MEMBER: Final = b"\x1f\x8b\x08"
_READ: Final = WarcRecordType.metadata | WarcRecordType.response


class ReadRecord(NamedTuple):
    """What a record gives: events, or why it can't be read. ``at``: its offset in the piece, in bytes."""

    at: int
    found: list[LinkEvent] | Rejected


class ReadPiece(NamedTuple):
    """The records of a piece, and where the next one begins, in bytes. ``size`` 0: a larger piece is needed."""

    records: list[ReadRecord]
    size: int


def read_piece(piece: bytes, wanted: WantedLinks, *, is_last: bool) -> ReadPiece:
    """Return the records of a piece that begins with a record.

    The last record may be cut off, so it is left to the next piece, unless the file ends there (``is_last``). What is
    damaged is passed over, up to the next gzip member.
    """
    records, begun_at = _read(piece, wanted)
    if begun_at > 0:
        return ReadPiece([record for record in records if record.at < begun_at], begun_at)
    inflating = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        inflating.decompress(piece)
    except zlib.error as error:
        following = piece.find(_MEMBER, 1)
        size = following if following > 0 else len(piece)
        return ReadPiece([ReadRecord(0, Rejected(Reason.INVALID_VALUE, f"a damaged gzip member: {error}"))], size)
    if inflating.eof:
        size = len(piece) - len(inflating.unused_data)
        return ReadPiece(_read(piece[:size], wanted)[0], size)
    if is_last:
        return ReadPiece([ReadRecord(0, Rejected(Reason.INVALID_VALUE, "the file ends within a record"))], len(piece))
    return ReadPiece([], 0)


def _read(piece: bytes, wanted: WantedLinks) -> tuple[list[ReadRecord], int]:
    """Return the records up to the first damage, and where the last one that was begun begins."""
    records: list[ReadRecord] = []
    begun_at = 0
    try:
        for record in ArchiveIterator(BytesIO(piece), parse_http=False):
            begun_at = record.stream_pos
            if not record.record_type & _READ:
                continue
            try:
                records.append(ReadRecord(begun_at, events_of(record, wanted)))
            except Rejected as rejected:
                records.append(ReadRecord(begun_at, rejected))
    except OSError as error:
        if begun_at == 0 and not records:
            records.append(ReadRecord(0, Rejected(Reason.INVALID_VALUE, f"no WARC record: {error}")))
    return records, begun_at
