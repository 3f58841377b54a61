"""Batches as they were fetched, read once more where the client can't: it would fetch the same records for ever.

Kafka takes any bytes for the name of a header, and the client raises at those that are no UTF-8. And a batch may hold
more than there is room for, once it is decompressed.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, cast

from aiokafka.record.default_records import _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

from flatline.engine.bounded_codecs import OversizedBatchError
from flatline.schema.limits import RECORD_BYTES_MAX

_LENGTH_AT: Final = 8
_LENGTH_BYTES: Final = 4


class KeptBatches(MemoryRecords):  # type: ignore[misc]
    """Fetched batches, and the bytes that they are read from."""

    def __init__(self, fetched: bytes) -> None:
        super().__init__(fetched)
        self.fetched = fetched

    def read_again(self, next_offset: int) -> "LenientBatches":
        """Return those that are not over before an offset, to be read whatever their headers are called."""
        return LenientBatches(batch for batch in _batches(self.fetched) if batch.next_offset > next_offset)


class LenientBatches:
    """The client's interface of fetched batches."""

    def __init__(self, batches: Iterator["LenientBatch"]) -> None:
        self._batches = batches
        self._next = next(batches, None)

    def has_next(self) -> bool:
        """Whether there is one more."""
        return self._next is not None

    def next_batch(self) -> "LenientBatch | None":
        """Return it."""
        batch, self._next = self._next, next(self._batches, None)
        return batch


class LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """A batch of format 2, the only one with headers. What is no UTF-8 in their names is replaced.

    In place of a batch that is too large there is one record, at the batch's last offset. It is too long to be taken,
    and says why: it becomes a dead letter, and the records after it are read.
    """

    _pos: int

    def __iter__(self) -> Iterator[_DefaultRecordPy]:
        try:
            return cast(Iterator[_DefaultRecordPy], super().__iter__())
        except OversizedBatchError as error:
            return iter([self._instead(error)])

    def _instead(self, error: OversizedBatchError) -> _DefaultRecordPy:
        last = self.next_offset - 1
        words = f"The batch of the offsets {self.base_offset} to {last} is too large when it is decompressed: {error}. "
        value = words.encode().ljust(RECORD_BYTES_MAX + 1)
        return _DefaultRecordPy(last, self.max_timestamp, self.timestamp_type, None, value, [])

    def _read_msg(self, decode_varint: Callable[[Any, int], tuple[int, int]] = decode_varint) -> _DefaultRecordPy:
        buffer = self._buffer

        def number(at: int) -> tuple[int, int]:
            return decode_varint(buffer, at)

        def nullable(at: int) -> tuple[bytes | None, int]:
            length, at = number(at)
            return (None, at) if length < 0 else (bytes(buffer[at : at + length]), at + length)

        _, at = number(self._pos)  # its length
        delta_ms, at = number(at + 1)  # after the attributes, which have no meaning yet
        offset_delta, at = number(at)
        key, at = nullable(at)
        value, at = nullable(at)
        count, at = number(at)
        headers = []
        for _ in range(count):
            name, at = nullable(at)
            word, at = nullable(at)
            headers.append(((name or b"").decode(errors="replace"), word))
        self._pos = at
        is_broker_time = self.timestamp_type == self.LOG_APPEND_TIME
        timestamp_ms = self.max_timestamp if is_broker_time else self.first_timestamp + delta_ms
        return _DefaultRecordPy(self.base_offset + offset_delta, timestamp_ms, self.timestamp_type, key, value, headers)


def _batches(fetched: bytes) -> Iterator[LenientBatch]:
    at = 0
    while at + _LENGTH_AT + _LENGTH_BYTES <= len(fetched):
        body = at + _LENGTH_AT + _LENGTH_BYTES
        end = body + int.from_bytes(fetched[at + _LENGTH_AT : body])
        if end > len(fetched):
            return  # the answer ends in the middle of it
        yield LenientBatch(fetched[at:end])
        at = end
