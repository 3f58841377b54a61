"""Whatever a header is called, its record is read, with all others beside it."""

from collections.abc import Sequence
from typing import Self

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchBuilderPy
from hypothesis import given
from hypothesis import strategies as st

from flatline.engine.fetched_batches import KeptBatches
from flatline.engine.micro_batch import UnwrappedRecords


class Name(str):
    """A header's name of any bytes."""

    __slots__ = ("raw",)

    def __new__(cls, raw: bytes) -> Self:
        """Return it as the client's builder wants it."""
        name = super().__new__(cls, raw.decode(errors="replace"))
        name.raw = raw
        return name

    def encode(self, *_: object) -> bytes:
        """Return its bytes."""
        return self.raw


Written = tuple[bytes | None, bytes | None, list[tuple[bytes, bytes | None]]]
records = st.tuples(
    st.none() | st.binary(max_size=9),
    st.none() | st.binary(max_size=300),
    st.lists(st.tuples(st.binary(max_size=4), st.none() | st.binary(max_size=4)), max_size=2),
)
batches = st.lists(st.tuples(st.sampled_from([0, 1, 3, 4]), st.lists(records, min_size=1, max_size=4)), max_size=4)


def _encoded(base_offset: int, codec: int, written: Sequence[Written]) -> bytes:
    builder = _DefaultRecordBatchBuilderPy(
        2, codec, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=0, batch_size=1 << 20
    )
    for number, (key, value, headers) in enumerate(written):
        named = [(Name(name), word) for name, word in headers]
        builder.append(number, 1_780_000_000_000 + number, key=key, value=value, headers=named)
    return base_offset.to_bytes(8, "big") + bytes(builder.build())[8:]


@given(batches)
def test_all_records_are_read(sent: list[tuple[int, list[Written]]]) -> None:
    """In their order, each once, their keys and values untouched, in any codec."""
    fetched, expected = b"", []
    for codec, written in sent:
        base = len(expected)
        fetched += _encoded(base, codec, written)
        for number, (key, value, headers) in enumerate(written):
            names = [(name.decode(errors="replace"), word) for name, word in headers]
            expected.append((base + number, 1_780_000_000_000 + number, key, value, names))
    read = UnwrappedRecords(
        TopicPartition("t", 0), KeptBatches(fetched), [], 0, None, None, check_crcs=True, isolation_level=READ_COMMITTED
    )
    assert [(r.offset, r.timestamp, r.key, r.value, list(r.headers)) for r in read] == expected
    assert read.next_fetch_offset == len(expected)


def test_the_client_alone_would_stop() -> None:
    """Without this the record could not be passed: once that is mended in the client, this can go."""
    with pytest.raises(UnicodeDecodeError):
        list(DefaultRecordBatch(_encoded(0, 0, [(b"k", b"v", [(b"\xff", b"")])])))
