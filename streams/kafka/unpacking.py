"""Unpacks compressed record batches up to a limit: a megabyte can stand for gigabytes.

The clients unpack a batch as a whole, whatever becomes of it. A topic's ``max.message.bytes`` bounds what is sent,
which is the compressed batch.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Final

import lz4.frame
import zstandard
from aiokafka.codec import snappy_decode

BATCH_BYTES_MAX: Final = 32 << 20
FETCH_BYTES_ENOUGH: Final = 16 << 20

HEADER_BYTES: Final = 61
_LENGTH_AT: Final = 8
_BEFORE_LENGTH_ENDS: Final = 12
_MAGIC_AT: Final = 16
_ATTRIBUTES_AT: Final = 22  # the lower of two bytes
_CODEC_MASK: Final = 0x07
_CHUNK_BYTES: Final = 1 << 20

_XERIAL: Final = b"\x82SNAPPY\x00"
_XERIAL_HEADER_BYTES: Final = 16
_SNAPPY_RATIO_MAX: Final = 24  # three bytes stand for at most 64


class UnpackError(ValueError):
    """A batch that is not unpacked: it would be too large, or its codec can't read it."""


class Unpacker:
    """Unpacks the batches of one fetch, and says when they are enough for it.

    The rest is then fetched once more. Else a megabyte of batches could become gigabytes that are each small enough.
    """

    def __init__(self) -> None:
        self._bytes = 0

    @property
    def is_enough(self) -> bool:
        """Whether so much was unpacked that what follows should be left for the next fetch."""
        return self._bytes >= FETCH_BYTES_ENOUGH

    def uncompressed(self, batch: bytes) -> bytes:
        """Return a compressed batch of format 2 as it would be without compression, but for its checksum.

        Raises UnpackError.
        """
        header = bytearray(batch[:HEADER_BYTES])
        records = unpack(header[_ATTRIBUTES_AT] & _CODEC_MASK, batch[HEADER_BYTES:], bytes_max=BATCH_BYTES_MAX)
        self._bytes += len(records)
        header[_ATTRIBUTES_AT] &= ~_CODEC_MASK
        length = HEADER_BYTES - _BEFORE_LENGTH_ENDS + len(records)
        header[_LENGTH_AT:_BEFORE_LENGTH_ENDS] = length.to_bytes(4)
        return bytes(header) + records


def is_format_2(batch: bytes | memoryview) -> bool:
    """Whether a batch has the format that Kafka writes since 0.11."""
    return len(batch) >= HEADER_BYTES and batch[_MAGIC_AT] >= 2  # noqa: PLR2004


def batches(fetched: bytes) -> Iterator[bytes]:
    """Yield the batches that were fetched; of the last one a part may be missing, and then it is left out."""
    at = 0
    while at + _BEFORE_LENGTH_ENDS <= len(fetched):
        end = at + _BEFORE_LENGTH_ENDS + int.from_bytes(fetched[at + _LENGTH_AT : at + _BEFORE_LENGTH_ENDS])
        if end > len(fetched):
            return
        yield fetched[at:end]
        at = end


def unpack(codec: int, packed: bytes, *, bytes_max: int) -> bytes:
    """Return the records of a batch by the number of their codec. Raises UnpackError; never holds more."""
    name, chunks_of = _CODECS.get(codec, (f"codec {codec}", _unknown))
    chunks, size = [], 0
    try:
        for chunk in chunks_of(packed):
            size += len(chunk)
            if size > bytes_max:
                break
            chunks.append(chunk)
    except Exception as error:  # each codec has errors of its own
        raise UnpackError(f"what {name} has packed can't be unpacked: {error}") from error
    if size > bytes_max:
        raise UnpackError(f"{len(packed)} bytes of {name} would be more than {bytes_max} when they are unpacked")
    return b"".join(chunks)


def _unknown(_packed: bytes) -> Iterator[bytes]:
    raise ValueError("it is not known")


def _gzip(packed: bytes) -> Iterator[bytes]:
    while packed:
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            chunk = member.decompress(packed, _CHUNK_BYTES)
            packed = member.unconsumed_tail
            if not chunk and not packed and not member.eof:
                raise EOFError("it ends in the middle")
            yield chunk
        packed = member.unused_data.lstrip(b"\0")


def _lz4(packed: bytes) -> Iterator[bytes]:
    while packed:
        frame = lz4.frame.LZ4FrameDecompressor()
        chunk = frame.decompress(packed, _CHUNK_BYTES)
        yield chunk
        while not frame.eof:
            chunk = frame.decompress(b"", _CHUNK_BYTES)
            if not chunk and not frame.eof:
                raise EOFError("it ends in the middle")
            yield chunk
        packed = frame.unused_data or b""


def _zstd(packed: bytes) -> Iterator[bytes]:
    with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as reader:
        while chunk := reader.read(_CHUNK_BYTES):
            yield chunk


def _snappy(packed: bytes) -> Iterator[bytes]:
    """Yield the blocks. Each says how large it becomes, and can't become much larger than it is."""
    for block in _snappy_blocks(packed):
        if _varint(block) > _SNAPPY_RATIO_MAX * len(block):
            raise ValueError("a block is smaller than it says")
        yield snappy_decode(block)


def _snappy_blocks(packed: bytes) -> Iterator[bytes]:
    if not packed.startswith(_XERIAL):
        yield packed
        return
    at = _XERIAL_HEADER_BYTES
    while at < len(packed):
        (length,) = struct.unpack_from("!I", packed, at)
        yield packed[at + 4 : at + 4 + length]
        at += 4 + length


def _varint(block: bytes) -> int:
    number = 0
    for place, byte in enumerate(block[:5]):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:  # noqa: PLR2004
            break
    return number


_CODECS: Final[dict[int, tuple[str, Callable[[bytes], Iterator[bytes]]]]] = {
    1: ("gzip", _gzip),
    2: ("snappy", _snappy),
    3: ("lz4", _lz4),
    4: ("zstd", _zstd),
}
