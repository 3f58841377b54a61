"""Reads files with one record on each line: plain, gzip or zstd, recognised by their first bytes."""

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

import msgspec
import zstandard

from flatline.schema.codec import JSON_ERRORS
from flatline.schema.dead_letter import VALUE_BYTES_MAX
from flatline.schema.rejection import Rejected
from flatline_connectors.errors import ConnectorError

# More than any record may have, and no more than a dead letter keeps. What follows on the same line is skipped.
LINE_BYTES_MAX: Final = VALUE_BYTES_MAX

_GZIP: Final = b"\x1f\x8b"
# A frame of zstd, and frames to be skipped (RFC 8878 §3.1), with which some tools begin a file.
_ZSTD: Final = (b"\x28\xb5\x2f\xfd", *(bytes([first]) + b"\x2a\x4d\x18" for first in range(0x50, 0x60)))
_NULS_OF_UTF_16: Final = 2  # in two ASCII characters
_BLOCK_BYTES: Final = 1 << 20
_PLAIN_BLOCK_BYTES: Final = 1 << 17
# Four bytes of zstd can stand for 128 KiB: of small pieces comes little at a time.
_ZSTD_PIECE_BYTES: Final = 256


class UnreadableFile(ConnectorError):
    """The file can't be opened, or not be read to its end. The message names the file and the cause."""

    remedy = "Check the name of the file, and that it is whole."


# Of bytes unpacked to bytes packed, in all that has rows of different links: more unpacks to nothing but repetitions.
PACKED_RATIO_MAX: Final = 200
_SMALL_BYTES: Final = 1 << 20


def unpacked_bytes_max(packed_bytes: int, bytes_max: int) -> int:
    """Return how many bytes a packed file may hold when unpacked: ``bytes_max``, or fewer if the file is small."""
    return min(bytes_max, packed_bytes * PACKED_RATIO_MAX + _SMALL_BYTES)


_BREAKS: Final = (OSError, EOFError, zlib.error, zstandard.ZstdError)


class Line(NamedTuple):
    """A line without its line break; the first one has number 1."""

    number: int
    value: bytes


class UnusableLine(NamedTuple):
    """A line that can't become a record, and the reason."""

    number: int
    value: bytes
    rejected: Rejected


class LineFile:
    """The lines of one file, or of standard input."""

    def __init__(self, path: Path | None, *, reading: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        """Open ``path``, or standard input for None. Raise `UnreadableFile`.

        A context of ``reading`` is entered whenever a block is read: that may take as long as somebody types.
        """
        self.name = "standard input" if path is None else str(path)
        self.size_bytes: int | None = None
        self._first_line: bytes | None = None
        try:
            # Large blocks: each read lets Kafka's thread in, and it is slow to go again.
            self._file = io.BufferedReader(_Watched(path, reading), _BLOCK_BYTES)
            if path is not None and path.is_file():
                self.size_bytes = path.stat().st_size
        except OSError as error:
            raise UnreadableFile(f"{self.name} can't be read: {error.strerror}.") from error

    @property
    def read_bytes(self) -> int:
        """How many of its ``size_bytes`` have been read; 0 if the size is unknown."""
        return 0 if self.size_bytes is None or self._file.closed else self._file.tell()

    def __iter__(self) -> Iterator[Line]:
        """Return the lines, blank ones left out.

        Raise `UnreadableFile` where the file is broken or ends too soon, and for one that is UTF-16 or a JSON array.

        A line of more than LINE_BYTES_MAX bytes comes with LINE_BYTES_MAX + 1 of them.
        """
        number = 0
        try:
            with self._file, self._plain as plain:
                first, self._first_line = self._first_line, None
                while value := first or plain.readline(LINE_BYTES_MAX + 1):
                    first = None
                    number += 1
                    if len(value) > LINE_BYTES_MAX and not value.endswith(b"\n"):
                        _skip_line(plain)
                    value = value.removeprefix(codecs.BOM_UTF8) if number == 1 else value
                    value = value.rstrip(b"\r\n")
                    if number == 1:
                        _check_first(self.name, value)
                    if value and not value.isspace():
                        yield Line(number, value)
        except _BREAKS as error:
            raise UnreadableFile(f"{self.name} is broken after line {number}: {error}") from error

    def first_line(self) -> bytes:
        """Return the first line, with its end, unpacked; reading the file begins with it all the same.

        Raise `UnreadableFile`.
        Of one with more than LINE_BYTES_MAX bytes it is the beginning.
        """
        try:
            if self._first_line is None:
                self._first_line = self._plain.readline(LINE_BYTES_MAX + 1)
        except _BREAKS as error:
            self._file.close()
            raise UnreadableFile(f"{self.name} is broken at its beginning: {error}") from error
        return self._first_line

    def whole(self, bytes_max: int) -> bytes:
        """Return the whole file, unpacked.

        Raise `UnreadableFile`, also where it has more than ``bytes_max``, or unpacks to much more than files do.
        """
        data, self._first_line = bytearray(self.first_line()), None
        if self.size_bytes is not None and self._plain is not self._file:
            bytes_max = unpacked_bytes_max(self.size_bytes, bytes_max)
        try:
            with self._file, self._plain as plain:
                while len(data) <= bytes_max and (block := plain.read1(_BLOCK_BYTES)):
                    data += block
        except _BREAKS as error:
            lines = data.count(b"\n")
            raise UnreadableFile(f"{self.name} is broken after line {lines} ({len(data):,} bytes): {error}") from error
        if len(data) > bytes_max:
            raise UnreadableFile(
                f"{self.name} has more than {bytes_max:,} bytes unpacked.", remedy="Split it, or unpack it yourself."
            )
        return bytes(data)

    @cached_property
    def _plain(self) -> "io.BufferedReader[Any]":
        magic = self._file.peek(4)[:4]
        if magic.startswith(_GZIP) or self.name.endswith(".gz"):
            return io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=self._file)), _PLAIN_BLOCK_BYTES)
        if magic.startswith(_ZSTD) or self.name.endswith(".zst"):
            return io.BufferedReader(_Zstd(self._file), _PLAIN_BLOCK_BYTES)
        return self._file


class _Watched(io.FileIO):
    """A file, or standard input, that tells when it is being read."""

    def __init__(self, path: Path | None, reading: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__(0 if path is None else path, closefd=path is not None)
        self._reading = reading

    def readinto(self, buffer: Any) -> int | None:
        with self._reading():
            return super().readinto(buffer)


class _Zstd(io.RawIOBase):
    """Decompresses frame after frame. zstandard's own reader takes a file that was cut short for a complete one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decompressor = zstandard.ZstdDecompressor()
        self._frame = self._decompressor.decompressobj()
        self._is_within_frame = True  # an empty file is no zstd file
        self._pending = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._pending:
            piece = self._file.read(_ZSTD_PIECE_BYTES)
            if not piece:
                if self._is_within_frame:
                    raise EOFError("the archive ends too soon")
                return 0
            self._pending = self._decompressed(piece)
        count = min(len(buffer), len(self._pending))
        buffer[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count

    def _decompressed(self, piece: bytes) -> bytes:
        plain = []
        while piece:
            if not self._is_within_frame:
                self._frame, self._is_within_frame = self._decompressor.decompressobj(), True
            plain.append(self._frame.decompress(piece))
            self._is_within_frame, piece = not self._frame.eof, self._frame.unused_data
        return b"".join(plain)


def _check_first(name: str, line: bytes) -> None:
    """Raise `UnreadableFile` if the first line shows that the file does not have a record on each line."""
    if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or line[:4].count(0) == _NULS_OF_UTF_16:
        raise UnreadableFile(
            f"{name} is UTF-16, and records are UTF-8.", remedy=f"Convert it: iconv -f UTF-16 -t UTF-8 {name}"
        )
    if line.lstrip().startswith(b"[") and _is_array_of_records(line):
        raise UnreadableFile(
            f"{name} is one JSON array, and not a record a line.", remedy=f"Convert it: jq -c '.[]' {name}"
        )


def _is_array_of_records(line: bytes) -> bool:
    try:
        elements = msgspec.json.decode(line)
    except JSON_ERRORS:
        return True  # it goes on in the next line
    return any(isinstance(element, dict) for element in elements)


def _skip_line(file: BinaryIO) -> None:
    while rest := file.readline(_BLOCK_BYTES):
        if rest.endswith(b"\n"):
            return
