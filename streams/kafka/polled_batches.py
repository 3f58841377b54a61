"""What kafka-python fetched, read so that no batch stops its partition: as `fetched_batches` does it for aiokafka.

Nothing stands for a batch that can't be unpacked: who reads with this client only looks, and the log says it.
"""

from collections.abc import Iterator
from typing import Any

from kafka.consumer import fetcher
from kafka.record.default_records import DefaultRecord, DefaultRecordBatch
from kafka.record.memory_records import MemoryRecords

from flatline.kafka.record_fields import record_fields
from flatline.kafka.skipped_batch import skipped
from flatline.kafka.unpacking import HEADER_BYTES, Unpacker, UnpackError, is_format_2


class PolledBatches(MemoryRecords):  # type: ignore[misc]
    """Fetched batches."""

    def __init__(self, fetched: Any) -> None:
        super().__init__(fetched)
        self.where: object = None
        self._unpacker = Unpacker()

    def next_batch(self, *_: object) -> Any:
        """Return the next one; None if there is none for now: see `Unpacker`."""
        content = self._next_slice
        if self._unpacker.is_enough:
            return None
        if content is None or not is_format_2(content):
            return super().next_batch()
        self._cache_next()
        return PolledBatch(content, self._unpacker, self.where)


class PolledBatch(DefaultRecordBatch):  # type: ignore[misc]
    """A batch of format 2, unpacked when its records are asked for. What is no UTF-8 in headers' names is replaced."""

    _buffer: bytearray
    _pos: int
    _decompressed: bool

    def __init__(self, content: memoryview, unpacker: Unpacker, where: object) -> None:
        super().__init__(content)
        self._unpacker = unpacker
        self._where = where

    def __iter__(self) -> Iterator[Any]:
        """Return its records; none if it can't be unpacked."""
        if not self._decompressed and self.compression_type:
            try:
                self._buffer = bytearray(self._unpacker.uncompressed(bytes(self._buffer)))
            except UnpackError as error:
                skipped(self, self._where, error)
                return iter(())
            self._pos, self._decompressed = HEADER_BYTES, True
        return super().__iter__()  # type: ignore[no-any-return]

    def _read_msg(self, *_: object) -> DefaultRecord:
        try:
            return super()._read_msg()
        except UnicodeDecodeError:
            record, self._pos = record_fields(self._buffer, self._pos)
        is_broker_time = self.timestamp_type == self.LOG_APPEND_TIME
        timestamp_ms = self.max_timestamp if is_broker_time else self.first_timestamp + record.delta_ms
        offset = self.base_offset + record.offset_delta
        return DefaultRecord(
            record.length, offset, timestamp_ms, self.timestamp_type, record.key, record.value, record.headers
        )


class PolledRecords(fetcher.Fetcher.PartitionRecords):  # type: ignore[misc]
    """Fetched records of a partition."""

    def __init__(self, fetch_offset: int, tp: Any, records: Any, **named: Any) -> None:
        records.where = f"{tp.topic}, partition {tp.partition}"
        super().__init__(fetch_offset, tp, records, **named)
