"""No batch stops its partition, whichever client reads it: neither one that is a bomb, nor a header's name."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pytest
from aiokafka import TopicPartition
from aiokafka import codec as codecs
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.record._crc32c import crc
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchBuilderPy
from hypothesis import given
from hypothesis import strategies as st
from kafka.consumer.fetcher import IsolationLevel
from kafka.record.default_records import DefaultRecordBatch as PolledRecordBatch

from flatline.engine.micro_batch import UnwrappedRecords
from flatline.kafka import unpacking
from flatline.kafka.fetched_batches import FetchedBatches, ReadableRecords
from flatline.kafka.polled_batches import PolledBatches, PolledRecords
from flatline.kafka.skipped_batch import SkippedBatch

TP = TopicPartition("links", 3)
T0 = 1_780_000_000_000
CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
ENCODERS: dict[int, Callable[[bytes], bytes]] = {
    0: bytes,
    1: codecs.gzip_encode,
    2: codecs.snappy_encode,
    3: codecs.lz4_encode,
    4: codecs.zstd_encode,
}
Read = Callable[[bytes, int], Any]


def _async(kind: type[ReadableRecords]) -> Read:
    def read(fetched: bytes, offset: int) -> Any:
        return kind(
            TP, FetchedBatches(fetched), [], offset, None, None, check_crcs=True, isolation_level=READ_COMMITTED
        )

    return read


def _polled(fetched: bytes, offset: int) -> Any:
    return _Polled(offset, TP, PolledBatches(fetched), isolation_level=IsolationLevel.READ_COMMITTED)


class _Polled(PolledRecords):
    def __iter__(self) -> Any:
        return iter(self.record_iterator or ())


READERS = {"faust": _async(UnwrappedRecords), "aiokafka": _async(ReadableRecords), "kafka-python": _polled}
readers = pytest.mark.parametrize("read", READERS.values(), ids=READERS)


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
batches = st.lists(st.tuples(st.integers(0, 4), st.lists(records, min_size=1, max_size=4)), max_size=4)


def _encoded(base_offset: int, codec: int, written: Sequence[Written]) -> bytes:
    builder = _DefaultRecordBatchBuilderPy(
        2, 0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=0, batch_size=1 << 40
    )
    for number, (key, value, headers) in enumerate(written):
        named = [(Name(name), word) for name, word in headers]
        builder.append(number, T0 + number, key=key, value=value, headers=named)
    batch = bytes(builder.build())
    packed = ENCODERS[codec](batch[unpacking.HEADER_BYTES :])
    return base_offset.to_bytes(8, "big") + _compressed(batch, codec, packed)[8:]


def _compressed(batch: bytes, codec: int, packed: bytes) -> bytes:
    """Return a batch with other records, which were compressed whether or not that makes them smaller."""
    header = bytearray(batch[: unpacking.HEADER_BYTES])
    header[8:12] = (len(header) - 12 + len(packed)).to_bytes(4, "big")
    header[22] |= codec
    header[17:21] = crc(bytes(header[21:]) + packed).to_bytes(4, "big")
    return bytes(header) + packed


@readers
@given(batches)
def test_all_records_are_read(read: Read, sent: list[tuple[int, list[Written]]]) -> None:
    """In their order, each once, their keys and values untouched, in any codec, whatever their headers are called."""
    fetched, expected = b"", []
    for codec, written in sent:
        base = len(expected)
        fetched += _encoded(base, codec, written)
        for number, (key, value, headers) in enumerate(written):
            names = [(name.decode(errors="replace"), word) for name, word in headers]
            expected.append((base + number, T0 + number, key, value, names))
    fetch = read(fetched, 0)
    assert [(r.offset, r.timestamp, r.key, r.value, list(r.headers)) for r in fetch] == expected
    assert fetch.next_fetch_offset == len(expected)


def test_the_clients_alone_would_stop() -> None:
    """Without this the record could not be passed: once that is mended in the clients, this can go."""
    batch = _encoded(0, 0, [(b"k", b"v", [(b"\xff", b"")])])
    with pytest.raises(UnicodeDecodeError):
        list(DefaultRecordBatch(batch))
    with pytest.raises(Exception, match="invalid record structure"):
        list(PolledRecordBatch(batch))


@readers
@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_a_batch_that_becomes_too_large_is_passed(
    read: Read, codec: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What stands beside it is read. The log says which records are missing; so does a record in the place of them."""
    monkeypatch.setattr(unpacking, "BATCH_BYTES_MAX", 100_000)
    plain: Written = b"k", b"v", []
    bomb = _encoded(1, codec, [(None, b"x" * 60_000, [])] * 2)
    fetch = read(_encoded(0, codec, [plain]) + bomb + _encoded(3, codec, [plain]), 0)
    read_records = list(fetch)
    assert [each.offset for each in read_records if each.key] == [0, 3]
    assert fetch.next_fetch_offset == 4
    assert "links, partition 3: the records 1 to 2 came in one compressed batch and were not read" in caplog.text
    if read is not _polled:
        [skipped] = [each for each in read_records if not each.key]
        assert isinstance(skipped, SkippedBatch)
        assert (skipped.offset, skipped.timestamp, skipped.value) == (2, T0 + 1, b"")
        assert "100000" in skipped.detail


@readers
def test_what_is_unpacked_of_one_fetch_is_bounded(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches that are each small enough are read in several fetches: none is lost, and none read twice."""
    monkeypatch.setattr(unpacking, "FETCH_BYTES_ENOUGH", 100_000)
    offsets: list[int] = []
    fetches = 0
    while (at := len(offsets)) < 20:
        fetched = b"".join(_encoded(base, 4, [(b"k", b"x" * 30_000, [])] * 2) for base in range(at, 20, 2))
        fetch = read(fetched, at)
        offsets += [each.offset for each in fetch]
        assert fetch.next_fetch_offset == len(offsets)
        fetches += 1
    assert offsets == list(range(20))
    assert fetches == 5


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@given(data=st.binary(max_size=2_000), at=st.integers(0, 2_000))
def test_what_is_cut_off_or_broken_is_said(codec: int, data: bytes, at: int) -> None:
    """Never by an error of the codec's own, nor by more than the limit."""
    whole = b"." + data
    packed = ENCODERS[codec](whole)
    assert unpacking.unpack(codec, packed, bytes_max=len(whole)) == whole
    for broken in (packed[:at], data, packed[:at] + data):
        with suppress(unpacking.UnpackError):
            assert len(unpacking.unpack(codec, broken, bytes_max=len(whole))) <= len(whole)
    with pytest.raises(unpacking.UnpackError, match=f"would be more than {len(whole) - 1} when"):
        unpacking.unpack(codec, packed, bytes_max=len(whole) - 1)


MEMORY = """
import sys
from pathlib import Path

from tests.kafka.test_fetched_batches import READERS, bomb

def largest_memory_mb():  # of this process: what getrusage says begins with that of its parent
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024

name, codec = sys.argv[1:]
batch = bomb(int(codec))
assert len(batch) < 1 << 20
before_mb = largest_memory_mb()
print(len([each for each in READERS[name](batch, 0) if each.value]), largest_memory_mb() - before_mb)
"""


def bomb(codec: int) -> bytes:
    """Return a batch that a topic takes, and that is a gigabyte or, by lz4, 200 MB when it is unpacked."""
    # The pieces are packed one by one: it is never in memory here.
    pieces = {CODECS["gzip"]: 950, CODECS["lz4"]: 200, CODECS["zstd"]: 1_000}
    return _compressed(_encoded(0, 0, [(None, b"", [])]), codec, ENCODERS[codec](bytes(1 << 20)) * pieces[codec])


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("codec", [1, 3, 4], ids=["gzip", "lz4", "zstd"])
def test_a_bomb_takes_little_memory(name: str, codec: int) -> None:
    """It is found out while it is unpacked. Snappy is no bomb: it packs by 21 at most."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, name, str(codec)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert not done.returncode, done.stderr
    read, more_mb = done.stdout.split()
    assert int(read) == 0
    assert int(more_mb) < 100
