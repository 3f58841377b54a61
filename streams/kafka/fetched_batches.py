"""What aiokafka fetched, read so that no batch stops its partition.

- Compressed batches are unpacked up to a limit (`unpacking`); a `SkippedBatch` stands for one that is beyond it.
- Kafka takes any bytes for a header's name, and the client raises where they are no UTF-8. Such a batch is read once
  more: else it would be fetched again for ever.
"""

from collections.abc import Iterator
from typing import Any, cast

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import MemoryRecords

from flatline.kafka.record_fields import record_fields
from flatline.kafka.skipped_batch import SkippedBatch, skipped
from flatline.kafka.unpacking import Unpacker, UnpackError, batches, is_format_2


class FetchedBatches(MemoryRecords):  # type: ignore[misc]
    """Fetched batches, and the bytes that they are read from."""

    def __init__(self, fetched: bytes) -> None:
        super().__init__(fetched)
        self.fetched = fetched
        self.where: object = None
        self._unpacker = Unpacker()
        self._bytes = batches(fetched)

    def has_next(self) -> bool:
        """Whether there is one more, for now: see `Unpacker`."""
        return super().has_next() and not self._unpacker.is_enough

    def next_batch(self) -> Any:
        """Return it."""
        batch, content = super().next_batch(), next(self._bytes, b"")
        if batch is not None and is_format_2(content) and batch.compression_type:
            return CompressedBatch(batch, content, self._unpacker, self.where)
        return batch

    def read_again(self, next_offset: int) -> "LenientBatches":
        """Return those that are not over before an offset, to be read whatever their headers are called."""
        return LenientBatches(self.fetched, next_offset, self.where)


class LenientBatches:
    """The client's interface of fetched batches."""

    def __init__(self, fetched: bytes, next_offset: int, where: object) -> None:
        self._unpacker = Unpacker()
        self._where = where
        self._batches = (batch for batch in map(LenientBatch, batches(fetched)) if batch.next_offset > next_offset)
        self._next = next(self._batches, None)

    def has_next(self) -> bool:
        """Whether there is one more, for now: see `Unpacker`."""
        return self._next is not None and not self._unpacker.is_enough

    def next_batch(self) -> Any:
        """Return it."""
        batch, self._next = self._next, next(self._batches, None)
        if batch is not None and batch.compression_type:
            return CompressedBatch(batch, bytes(batch._buffer), self._unpacker, self._where)  # noqa: SLF001
        return batch


class CompressedBatch:
    """A compressed batch, unpacked when its records are asked for."""

    def __init__(self, batch: Any, content: bytes, unpacker: Unpacker, where: object) -> None:
        self._batch = batch
        self._content = content
        self._unpacker = unpacker
        self._where = where

    def __getattr__(self, name: str) -> Any:
        """Return what the header says."""
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        """Return its records, or what stands for them."""
        try:
            uncompressed = self._unpacker.uncompressed(self._content)
        except UnpackError as error:
            return iter([skipped(self._batch, self._where, error)])
        kind = LenientBatch if isinstance(self._batch, LenientBatch) else DefaultRecordBatch
        return cast("Iterator[Any]", iter(kind(uncompressed)))


class LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """A batch of format 2, the only one with headers. What is no UTF-8 in their names is replaced."""

    _pos: int

    def _read_msg(self, *_: object) -> _DefaultRecordPy:
        record, self._pos = record_fields(self._buffer, self._pos)
        is_broker_time = self.timestamp_type == self.LOG_APPEND_TIME
        timestamp_ms = self.max_timestamp if is_broker_time else self.first_timestamp + record.delta_ms
        offset = self.base_offset + record.offset_delta
        return _DefaultRecordPy(offset, timestamp_ms, self.timestamp_type, record.key, record.value, record.headers)


class ReadableRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """Fetched records of a partition, each as the client gives it."""

    _records: Any
    _records_iterator: Any

    def __init__(self, tp: Any, records: Any, *others: Any, **named: Any) -> None:
        records.where = f"{tp.topic}, partition {tp.partition}"
        super().__init__(tp, records, *others, **named)

    def _consumer_record(self, tp: Any, record: Any) -> Any:
        return record if isinstance(record, SkippedBatch) else super()._consumer_record(tp, record)

    def __next__(self) -> Any:
        try:
            return next(self._records_iterator)
        except StopIteration:
            self._records_iterator = None  # so that it is freed, as by the client
            raise
        except UnicodeDecodeError:
            self._records = self._records.read_again(self.next_fetch_offset)
            self._records_iterator = self._unpack_records()
            return next(self._records_iterator)
