"""Batches are decompressed up to a limit, and otherwise as the client does it."""

import tracemalloc
from collections.abc import Callable

import pytest
from aiokafka import TopicPartition, codec
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from hypothesis import given
from hypothesis import strategies as st

from flatline.engine import bounded_codecs
from flatline.engine.fetched_batches import KeptBatches
from flatline.engine.micro_batch import UnwrappedRecords
from flatline.schema import codec as contract
from flatline.schema.rejection import Reason, Rejected

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
CODECS: dict[int, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    GZIP: (codec.gzip_encode, bounded_codecs.gzip_decode),
    SNAPPY: (codec.snappy_encode, bounded_codecs.snappy_decode),
    LZ4: (codec.lz4_encode, bounded_codecs.lz4_decode),
    ZSTD: (codec.zstd_encode, bounded_codecs.zstd_decode),
}
LIMIT = 1 << 20


@pytest.fixture(autouse=True)
def bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decompress within LIMIT, as a worker does within its own; afterwards as the client does."""
    names = ("gzip_decode", "zstd_decode", "lz4_decode", "snappy_decode")
    for module in (bounded_codecs.compiled, bounded_codecs.interpreted):
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.setattr(bounded_codecs, "BATCH_BYTES_MAX", LIMIT)
    bounded_codecs.install()


@given(st.sampled_from(sorted(CODECS)), st.lists(st.binary(max_size=2_000), min_size=1, max_size=3), st.integers(1, 9))
def test_what_fits_is_what_was_compressed(which: int, parts: list[bytes], times: int) -> None:
    """Gzip and zstd may have several parts, one after the other; the others have one."""
    encode, decode = CODECS[which]
    parts = [part * times for part in parts]
    if which in (SNAPPY, LZ4):
        parts = [b"".join(parts) or b"x"]  # the client can't read its own snappy of nothing
    compressed = b"".join(encode(part) for part in parts)
    assert decode(memoryview(compressed)) == b"".join(parts)


@pytest.mark.parametrize("which", sorted(CODECS))
def test_what_does_not_fit_is_refused_before_it_is_there(which: int) -> None:
    """The memory that it takes is that of the limit, not that of what was compressed."""
    encode, decode = CODECS[which]
    compressed = encode(bytes(64 * LIMIT))
    tracemalloc.start()
    try:
        with pytest.raises(bounded_codecs.OversizedBatchError):
            decode(memoryview(compressed))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * LIMIT


def _batch(base_offset: int, which: int, values: list[bytes]) -> bytes:
    builder = _DefaultRecordBatchBuilderPy(
        2, which, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=0, batch_size=1 << 30
    )
    for number, value in enumerate(values):
        builder.append(number, 1_780_000_000_000 + number, key=None, value=value, headers=[])
    return base_offset.to_bytes(8, "big") + bytes(builder.build())[8:]


@pytest.mark.parametrize("which", sorted(CODECS))
def test_a_bomb_becomes_a_dead_letter_and_the_next_batch_is_read(which: int) -> None:
    """The position passes it, with a record that the contract refuses as too long and that names the offsets."""
    fetched = (
        _batch(10, which, [b"before"])
        + _batch(11, which, [bytes(3 * LIMIT), b"with it"])
        + _batch(13, which, [b"after"])
    )
    read = UnwrappedRecords(
        TopicPartition("t", 0),
        KeptBatches(fetched),
        [],
        10,
        None,
        None,
        check_crcs=True,
        isolation_level=READ_COMMITTED,
    )
    before, bomb, after = list(read)
    assert (before.offset, before.value, after.offset, after.value) == (10, b"before", 13, b"after")
    assert (bomb.offset, read.next_fetch_offset) == (12, 14)
    assert b"offsets 11 to 12" in bomb.value
    with pytest.raises(Rejected) as refused:
        contract.links.decode(bomb.value)
    assert refused.value.reason is Reason.TOO_LONG
