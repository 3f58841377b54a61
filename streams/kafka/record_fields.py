"""The fields of a record in an unpacked batch of format 2, whatever its headers are called.

https://kafka.apache.org/documentation/#record
"""

from typing import NamedTuple

from aiokafka.record.util import decode_varint


class RecordFields(NamedTuple):
    """A record as it stands in its batch: its offset and time count from those of the batch."""

    offset_delta: int
    delta_ms: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    length: int


def record_fields(buffer: bytearray, at: int) -> tuple[RecordFields, int]:
    """Return the record that begins at an index, and where the next one begins. What is no UTF-8 is replaced."""

    def nullable(at: int) -> tuple[bytes | None, int]:
        length, at = decode_varint(buffer, at)
        return (None, at) if length < 0 else (bytes(buffer[at : at + length]), at + length)

    length, at = decode_varint(buffer, at)
    delta_ms, at = decode_varint(buffer, at + 1)  # after the attributes, which have no meaning yet
    offset_delta, at = decode_varint(buffer, at)
    key, at = nullable(at)
    value, at = nullable(at)
    count, at = decode_varint(buffer, at)
    headers = []
    for _ in range(count):
        name, at = nullable(at)
        word, at = nullable(at)
        headers.append(((name or b"").decode(errors="replace"), word))
    return RecordFields(offset_delta, delta_ms, key, value, headers, length), at
