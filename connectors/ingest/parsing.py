"""The body of a request into events, each as the bytes that were sent."""

import io
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from flatline.schema.codec import JSON_ERRORS
from flatline_connectors.files.array import WHITE_SPACE, NotAnArray, TooComplex, elements
from flatline_connectors.ingest.answers import Refused

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"

_GZIP_WINDOW_BITS: Final = 31
_GZIP_NAMES: Final = ("gzip", "x-gzip")  # RFC 9110 §8.4.1.3: the same
# Each costs a copy of what follows it.
_GZIP_MEMBERS_MAX: Final = 256

_decode_value: Final = msgspec.json.Decoder(msgspec.Raw).decode
_decode_array: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode

# An array with no more commas for each event that is allowed can't have absurdly many elements.
_COMMAS_AN_EVENT: Final = 40


def decompress(body: bytes, *, encoding: str, bytes_max: int) -> bytes:
    """Undo the Content-Encoding, which is nothing or gzip, in one member or several. Raise `Refused`: 400, 413, 415."""
    if encoding in ("", "identity"):
        return body
    if encoding not in _GZIP_NAMES:
        raise Refused(415, "unsupported_encoding", "Content-Encoding must be gzip, or not be there.")
    members, plain_bytes, rest = list[bytes](), 0, body
    while rest or not members:
        decompressor = zlib.decompressobj(_GZIP_WINDOW_BITS)
        try:
            members.append(decompressor.decompress(rest, bytes_max + 1 - plain_bytes))
        except zlib.error:
            raise Refused(400, "bad_gzip", f"The body is not gzip {_from(len(body) - len(rest))}.") from None
        plain_bytes += len(members[-1])
        if plain_bytes > bytes_max:
            raise too_large(bytes_max)
        if len(members) > _GZIP_MEMBERS_MAX:
            raise Refused(413, "too_complex", f"A body may have {_GZIP_MEMBERS_MAX} gzip members; send several.")
        if not decompressor.eof:
            read = f"{plain_bytes:,} bytes, decompressed, were read, and nothing was taken"
            raise Refused(400, "bad_gzip", f"The body is no whole gzip stream: it ends too soon. {read}.")
        # Some tools fill up the last block of what they write with zeros.
        rest = decompressor.unused_data.lstrip(b"\0")
    return b"".join(members)


def _from(byte: int) -> str:
    return f"from byte {byte:,} on" if byte else "at all"


def split(body: bytes, *, content_type: str, events_max: int) -> list[bytes]:
    """Return the events of a body: of an object one, of an array its elements, of NDJSON its lines but blank ones.

    Elements and lines need not be JSON. Raise `Refused`: 400 for a body that is neither an object nor a whole array,
    413 for too many events.
    """
    if content_type == NDJSON:
        return _bounded(filter(None, map(bytes.strip, io.BytesIO(body))), events_max)
    try:
        if body.lstrip(WHITE_SPACE).startswith(b"["):
            return _bounded(_elements(body, events_max=events_max), events_max)
        _decode_value(body)
    except (msgspec.DecodeError, NotAnArray, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "bad_json", f"The body is not JSON: {error}") from None
    except TooComplex:
        raise Refused(413, "too_complex", "The body has too many brackets for a batch of events.") from None
    return [body.strip(WHITE_SPACE)]


def _elements(body: bytes, *, events_max: int) -> Iterator[bytes]:
    """Yield the elements of an array: the quick way if it is well-formed and has few, else as far as one asks."""
    if body.count(b",") <= _COMMAS_AN_EVENT * events_max:
        try:
            return map(bytes, _decode_array(body))
        except JSON_ERRORS:
            pass  # one bad element, perhaps
    return elements(body)


def _bounded(events: Iterator[bytes], events_max: int) -> list[bytes]:
    taken = list(islice(events, events_max))
    if next(events, None) is not None:
        raise Refused(413, "too_many_events", f"A batch may have {events_max:,} events; send several.")
    return taken


def too_large(bytes_max: int) -> Refused:
    """Return the refusal of a body that is too large."""
    return Refused(413, "body_too_large", f"A body may have {bytes_max:,} bytes, decompressed; send smaller batches.")
