"""Bodies of answers: read and decoded no further than a limit."""

import zlib
from collections.abc import AsyncIterator
from typing import Final

from flatline_connectors.fetching.outcomes import Failed, Outcome

ACCEPTED_ENCODINGS: Final = "gzip, deflate"

_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_ZLIB_METHOD: Final = 8
_ZLIB_CHECK: Final = 31


async def read(chunks: AsyncIterator[bytes], *, bytes_max: int) -> bytes:
    """Return all of a body as it is on the wire. Raise `Failed` (too_large)."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > bytes_max:
            raise _too_large(bytes_max)
    return bytes(body)


def decoded(body: bytes, encoding: str, *, bytes_max: int) -> bytes:
    """Undo the Content-Encoding of a whole body. Raise `Failed`: undecodable, or too_large when decoded."""
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return gunzipped(body, bytes_max=bytes_max)
        case "deflate":
            return _inflated(body, window=_deflate_window(body), bytes_max=bytes_max)[0]
        case other:
            raise Failed(Outcome.UNDECODABLE, f"Content-Encoding {other[:100]!r}, which was not asked for")


def gunzipped(body: bytes, *, bytes_max: int) -> bytes:
    """Unpack gzip, of one or several members. Raise `Failed`: undecodable, or too_large."""
    if not body:
        raise Failed(Outcome.UNDECODABLE, "gzip without a byte")
    whole, rest = b"", body
    while rest.strip(b"\0"):  # archives may be padded
        part, rest = _inflated(rest, window=_GZIP_WINDOW, bytes_max=bytes_max - len(whole))
        whole += part
    return whole


def _inflated(body: bytes, *, window: int, bytes_max: int) -> tuple[bytes, bytes]:
    """Return what one stream holds, and what comes after it."""
    decompressor = zlib.decompressobj(window)
    try:
        plain = decompressor.decompress(body, bytes_max + 1)
    except zlib.error as error:
        raise Failed(Outcome.UNDECODABLE, f"the compressed body is broken: {error}") from error
    if len(plain) > bytes_max:
        raise _too_large(bytes_max)
    if not decompressor.eof:
        raise Failed(Outcome.UNDECODABLE, "the compressed body ends too soon")
    return plain, decompressor.unused_data


def _deflate_window(body: bytes) -> int:
    """Tell zlib streams, which RFC 9110 means by deflate, from the raw ones that some servers send."""
    is_zlib = len(body) > 1 and body[0] & 0x0F == _ZLIB_METHOD and int.from_bytes(body[:2]) % _ZLIB_CHECK == 0
    return zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS


def _too_large(bytes_max: int) -> Failed:
    return Failed(Outcome.TOO_LARGE, f"more than {bytes_max:,} bytes")
