"""Decompression of fetched batches up to a limit: a megabyte of compressed records can hold gigabytes.

A broker limits what it takes by its compressed size, and the client decompresses a batch as a whole.
"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import aiokafka.record._crecords.default_records as compiled
import aiokafka.record.default_records as interpreted
import lz4.frame
import zstandard

BATCH_BYTES_MAX: Final = 64 << 20
"""Of a batch when it is decompressed. Producers make none of more than a megabyte unless they are told to."""

_CHUNK_BYTES: Final = 1 << 20
_GZIP: Final = 16 + zlib.MAX_WBITS
_XERIAL: Final = b"\x82SNAPPY\x00"
_XERIAL_HEADER_BYTES: Final = 16
_LENGTH: Final = struct.Struct("!i")
_VARINT_BYTES_MAX: Final = 5

_snappy_decode: Final[Callable[[Any], bytes]] = compiled.snappy_decode


class OversizedBatchError(Exception):
    """A batch is larger than BATCH_BYTES_MAX when it is decompressed."""


def gzip_decode(payload: Any) -> bytes:
    """Return what gzip compressed, all members of it. Raise OversizedBatchError, and zlib.error for what is none."""
    rest, parts, room = bytes(payload), [], BATCH_BYTES_MAX
    while rest:
        member = zlib.decompressobj(_GZIP)
        parts.append(member.decompress(rest, room + 1))
        room -= len(parts[-1])
        _check(room)
        rest = member.unused_data
    return b"".join(parts)


def zstd_decode(payload: Any) -> bytes:
    """Return what zstd compressed, all frames of it. Raise OversizedBatchError, and ZstdError for what is none."""
    reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(bytes(payload)), read_across_frames=True)
    return _joined(iter(lambda: reader.read(_CHUNK_BYTES), b""))


def lz4_decode(payload: Any) -> bytes:
    """Return what lz4 compressed, a frame. Raise OversizedBatchError, and RuntimeError for what is none."""
    decompressor = lz4.frame.LZ4FrameDecompressor()
    found = decompressor.decompress(bytes(payload), max_length=BATCH_BYTES_MAX + 1)
    _check(BATCH_BYTES_MAX - len(found))
    return bytes(found)


def snappy_decode(payload: Any) -> bytes:
    """Return what snappy compressed, in xerial's blocks or as one. Raise OversizedBatchError, and others for no snappy.

    A block says how long it is when decompressed, and can't be longer.
    """
    compressed = bytes(payload)
    _check(BATCH_BYTES_MAX - sum(_snappy_length(block) for block in _snappy_blocks(compressed)))
    return _snappy_decode(compressed)


def _snappy_blocks(compressed: bytes) -> Iterator[bytes]:
    if not compressed.startswith(_XERIAL):
        yield compressed
        return
    at = _XERIAL_HEADER_BYTES
    while at + _LENGTH.size <= len(compressed):
        (length,) = _LENGTH.unpack_from(compressed, at)
        at += _LENGTH.size
        yield compressed[at : at + max(0, length)]
        at += max(0, length)


def _snappy_length(block: bytes) -> int:
    length = 0
    for place, byte in enumerate(block[:_VARINT_BYTES_MAX]):
        length |= (byte & 0x7F) << 7 * place
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a varint
            break
    return length


def _joined(parts: Iterator[bytes]) -> bytes:
    kept, room = [], BATCH_BYTES_MAX
    for part in parts:
        room -= len(part)
        _check(room)
        kept.append(part)
    return kept[0] if len(kept) == 1 else b"".join(kept)


def _check(room: int) -> None:
    if room < 0:
        raise OversizedBatchError(f"more than {BATCH_BYTES_MAX:,} bytes")


def install() -> None:
    """Have all of aiokafka's consumers decompress by these. They are looked up in two modules by name."""
    for module in (compiled, interpreted):
        module.gzip_decode, module.zstd_decode = gzip_decode, zstd_decode
        module.lz4_decode, module.snappy_decode = lz4_decode, snappy_decode
