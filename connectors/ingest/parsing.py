"""The body of a request into events, each as the bytes that were sent."""

import io
import zlib
from typing import Final

import msgspec

from connectors.ingest.answers import Refused

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"

_WHITE_SPACE: Final = b" \t\r\n"
_GZIP_WINDOW_BITS: Final = 31

_decode_value: Final = msgspec.json.Decoder(msgspec.Raw).decode
_decode_array: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


def decompress(body: bytes, *, encoding: str, bytes_max: int) -> bytes:
    """Undo the Content-Encoding, which is nothing or gzip. Raise `Refused`: 400, 413, 415."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise Refused(415, "unsupported_encoding", "Content-Encoding must be gzip, or not be there.")
    decompressor = zlib.decompressobj(_GZIP_WINDOW_BITS)
    try:
        plain = decompressor.decompress(body, bytes_max + 1)
    except zlib.error:
        raise Refused(400, "bad_gzip", "The body is not gzip.") from None
    if len(plain) > bytes_max:
        raise too_large(bytes_max)
    if not decompressor.eof or decompressor.unused_data:
        raise Refused(400, "bad_gzip", "The body is not one whole gzip stream.")
    return plain


def split(body: bytes, *, content_type: str, events_max: int) -> list[bytes]:
    """Return the events of a body: of an object one, of an array its elements, of NDJSON its lines but blank ones.

    Raise `Refused`: 400 for what isn't JSON at all, 413 for too many events.
    """
    if content_type == NDJSON:
        return _lines(body, events_max=events_max)
    try:
        if not body.lstrip(_WHITE_SPACE).startswith(b"["):
            _decode_value(body)
            return [body.strip(_WHITE_SPACE)]
        events = _decode_array(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "bad_json", f"The body is not JSON: {error}") from None
    if len(events) > events_max:
        raise _too_many(events_max)
    return [bytes(event) for event in events]


def _lines(body: bytes, *, events_max: int) -> list[bytes]:
    lines: list[bytes] = []
    for line in map(bytes.strip, io.BytesIO(body)):
        if line:
            if len(lines) == events_max:
                raise _too_many(events_max)
            lines.append(line)
    return lines


def too_large(bytes_max: int) -> Refused:
    """Return the refusal of a body that is too large."""
    return Refused(413, "body_too_large", f"A body may have {bytes_max:,} bytes, decompressed; send smaller batches.")


def _too_many(events_max: int) -> Refused:
    return Refused(413, "too_many_events", f"A batch may have {events_max:,} events; send several.")
