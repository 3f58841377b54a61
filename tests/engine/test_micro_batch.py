"""What the client fetched, as Faust moves it: one message a partition, also where only offsets were passed."""

from types import SimpleNamespace

import pytest
from faust.types import TP

from flatline.engine.app import MicroBatchApp
from flatline.engine.log import Fetched, MicroBatch
from flatline.engine.micro_batch import FetchedRecords, MicroBatches, PseudoRecord

TP0, TP1 = TP("links", 0), TP("links", 1)


def _record(offset: int) -> SimpleNamespace:
    return SimpleNamespace(offset=offset, timestamp=7, key=None, value=b"", headers=())


def _batches(scheduler: MicroBatches, fetched: dict[TP, FetchedRecords]) -> list[tuple[TP, int, int]]:
    return [(tp, len(message.value.records), message.offset) for tp, message in scheduler.iterate(fetched)]


def test_offsets_that_were_passed_are_told_once() -> None:
    """With records, or without any; again only after a new assignment."""
    scheduler = MicroBatches()
    fetched = {TP0: FetchedRecords([_record(3), _record(4)], 6), TP1: FetchedRecords([], 9)}
    assert _batches(scheduler, fetched) == [(TP0, 2, 6), (TP1, 0, 9)]
    nothing = {TP0: FetchedRecords([], 6), TP1: FetchedRecords([], 9)}
    assert _batches(scheduler, nothing) == []
    assert _batches(scheduler, {TP0: FetchedRecords([], 8)}) == [(TP0, 0, 8)]
    scheduler.forget()
    assert _batches(scheduler, nothing) == [(TP0, 0, 6), (TP1, 0, 9)]


def test_what_was_not_taken_is_told_again() -> None:
    """Faust stops in the middle of what was fetched when a rebalance begins: that was not handed over."""
    scheduler = MicroBatches()
    for _tp, _message in scheduler.iterate({TP0: FetchedRecords([], 6)}):
        break
    assert _batches(scheduler, {TP0: FetchedRecords([], 6)}) == [(TP0, 0, 6)]


@pytest.mark.parametrize(
    ("batch", "next_offset"),
    [
        (MicroBatch("links", 0, [_record(3)]), 4),
        (MicroBatch("links", 0, [_record(3)], delivered_until=6), 6),
        (MicroBatch("links", 0, [], delivered_until=6), 6),
    ],
)
def test_a_batch_knows_where_to_go_on(batch: MicroBatch, next_offset: int) -> None:
    """After its last record, or after what follows that without being one. To Faust this is its offset."""
    assert (batch.next_offset, PseudoRecord(batch).offset) == (next_offset, next_offset)


@pytest.mark.parametrize(
    ("highwater", "lso", "end", "why"),
    [
        (10, 10, 10, "nothing is open"),
        (10, 4, 4, "a transaction is open from 4 on: no reader of committed records comes further"),
        (10, -1, 10, "a broker that doesn't say"),
        (10, None, 10, "a broker that doesn't know transactions"),
        (None, None, None, "nothing was fetched yet"),
    ],
)
def test_a_partition_ends_at_its_last_stable_offset(
    highwater: int | None, lso: int | None, end: int | None, why: str
) -> None:
    """As far as the client knows."""
    state = SimpleNamespace(highwater=highwater, lso=lso, _position=4)
    assignment = SimpleNamespace(tps={TP0}, state_value={TP0: state}.get)
    client = SimpleNamespace(_subscription=SimpleNamespace(subscription=SimpleNamespace(assignment=assignment)))
    app = SimpleNamespace(consumer=SimpleNamespace(started=True, _thread=SimpleNamespace(_consumer=client)))
    assert MicroBatchApp.fetched(app, "links", 0) == Fetched(end, 4), why  # type: ignore[arg-type]
    assert MicroBatchApp.fetched(app, "links", 1) == Fetched(None, None)  # type: ignore[arg-type]
