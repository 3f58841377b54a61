"""The suite rejects in-memory brokers that promise too much or keep too little."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from flatline.engine.log import Offset, Outgoing
from tests.broker.broker import Broker
from tests.broker.contract import test_commits, test_fencing, test_restoring
from tests.broker.contract.in_memory import InMemory
from tests.broker.groups import Group
from tests.broker.memory_log import MemoryChangelog, MemoryWriter
from tests.broker.partition_log import PartitionLog, Read
from tests.broker.transactions import Transactions

ContractTest = Callable[[Any], Awaitable[None]]


def _fence_nobody(self: Transactions, transactional_id: str) -> None:
    self._epochs.setdefault(transactional_id, 0)


def _mark_without_offset(self: PartitionLog, part: Any, outcome: Any) -> None:
    part.outcome = outcome
    self._open.remove(part)


_read = PartitionLog.read


def _read_everything(self: PartitionLog, offset: int, **limits: Any) -> Read:
    return _read(self, offset, **{**limits, "committed": False})


def _skip_tombstones(self: PartitionLog, offset: int, **limits: Any) -> Read:
    records, next_offset = _read(self, offset, **limits)
    return Read([record for record in records if record.value is not None], next_offset)


def _compact_by_age(self: PartitionLog, **_: Any) -> None:
    self._records = self._records[-2:]


def _delete_nothing(self: PartitionLog, offset: int) -> None:
    """Delete nothing."""


async def _write_one_by_one(self: MemoryWriter, records: Any, offsets: Any) -> None:
    for record in records:
        self._broker.produce(record.topic, record.partition, [record])
    self._broker.groups[self._group].committed.update({(topic, self._partition): o for topic, o in offsets.items()})


def _offsets_at_once(self: MemoryWriter, offsets: Any) -> None:
    group: Group = self._broker.groups[self._group]
    group.committed.update({(topic, self._partition): offset for topic, offset in offsets.items()})


def _offsets_without_words(self: MemoryWriter, offsets: Any) -> None:
    bare = {(topic, self._partition): Offset(offset.next_offset) for topic, offset in offsets.items()}
    self._broker.transactions.open(self._producer, now_ms=0).offsets[self._broker.groups[self._group]] = bare


_produce = Broker.produce


def _stamp_all_with_now(
    self: Broker, topic: str, partition: int, records: list[Outgoing], producer: Any = None
) -> None:
    _produce(self, topic, partition, [record._replace(timestamp_ms=None) for record in records], producer)


def _take_anything(self: Broker, topic: str, partition: int, records: list[Outgoing], producer: Any = None) -> None:  # noqa: ARG001
    self.log(topic, partition).append(records, now_ms=0)


async def _restore_nothing(self: MemoryChangelog, partition: int, apply: Any) -> None:
    """Restore nothing."""


@pytest.mark.parametrize(
    ("broken", "name", "replacement", "contract_test"),
    [
        (Transactions, "_fence", _fence_nobody, test_fencing.test_a_former_writer_commits_nothing),
        (Transactions, "_fence", _fence_nobody, test_fencing.test_what_a_former_writer_left_open_is_aborted),
        (PartitionLog, "mark", _mark_without_offset, test_commits.test_the_mark_of_a_transaction_takes_an_offset),
        (PartitionLog, "read", _read_everything, test_restoring.test_what_was_aborted_is_not_restored),
        (PartitionLog, "read", _read_everything, test_restoring.test_a_foreign_transaction_that_is_open),
        (PartitionLog, "read", _skip_tombstones, test_restoring.test_all_that_was_committed_is_restored),
        (PartitionLog, "compact", _compact_by_age, test_restoring.test_compaction_leaves_the_newest_of_each_key),
        (PartitionLog, "delete_before", _delete_nothing, test_restoring.test_retention_moves_the_beginning),
        (MemoryWriter, "commit", _write_one_by_one, test_commits.test_records_that_can_not_be_made),
        (MemoryWriter, "_add_offsets", _offsets_at_once, test_fencing.test_a_former_writer_commits_nothing),
        (MemoryWriter, "_add_offsets", _offsets_without_words, test_commits.test_a_commit_writes_records_and_offsets),
        (Broker, "produce", _stamp_all_with_now, test_commits.test_forwarded_records_show_at_once),
        (Broker, "produce", _take_anything, test_commits.test_records_that_can_not_be_made),
        (MemoryChangelog, "restore", _restore_nothing, test_restoring.test_all_that_was_committed_is_restored),
    ],
)
async def test_the_suite_rejects_it(
    broken: type, name: str, replacement: Any, contract_test: ContractTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of these makes a test of the suite fail, on a broker that else passes it."""
    await contract_test(InMemory())
    monkeypatch.setattr(broken, name, replacement)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await contract_test(InMemory())
