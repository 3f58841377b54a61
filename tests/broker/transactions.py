"""Transactions: transactional ids, epochs, fencing, ends in two phases, timeouts."""

from dataclasses import dataclass, field
from typing import NamedTuple

from flatline.engine.log import Offset
from tests.broker.errors import OutdatedProducerError
from tests.broker.groups import Group
from tests.broker.partition_log import Outcome, Part, PartitionLog


class Producer(NamedTuple):
    """A producer with a transactional id, as the broker knows it."""

    transactional_id: str
    epoch: int
    timeout_ms: int


@dataclass
class Transaction:
    """What is committed or aborted together.

    ``outcome`` is decided first. Then a mark is written to each partition, and to each group whose offsets are in it;
    ``parts`` and ``offsets`` are those that have none yet.
    """

    began_ms: int
    timeout_ms: int
    parts: dict[PartitionLog, Part] = field(default_factory=dict)
    offsets: dict[Group, dict[tuple[str, int], Offset]] = field(default_factory=dict)
    outcome: Outcome = Outcome.OPEN

    @property
    def is_ending(self) -> bool:
        """Whether its outcome is decided, and not all of its marks are written."""
        return self.outcome is not Outcome.OPEN and bool(self.parts or self.offsets)

    def write_mark(self, number: int = 0) -> None:
        """Write one of the marks that are missing."""
        number %= len(self.parts) + len(self.offsets)
        if number < len(self.parts):
            log = list(self.parts)[number]
            log.mark(self.parts.pop(log), self.outcome)
            return
        group = list(self.offsets)[number - len(self.parts)]
        offsets = self.offsets.pop(group)
        if self.outcome is Outcome.COMMITTED:
            group.committed.update(offsets)


class Transactions:
    """The transaction coordinator. Of each id it knows the epoch and the newest transaction."""

    def __init__(self) -> None:
        self._epochs: dict[str, int] = {}
        self._newest: dict[str, Transaction] = {}

    @property
    def ending(self) -> list[Transaction]:
        """The transactions that have marks to be written."""
        return [transaction for transaction in self._newest.values() if transaction.is_ending]

    def is_settled(self, transactional_id: str) -> bool:
        """Whether the newest transaction of an id is not between its end and its marks: requests wait for that."""
        newest = self._newest.get(transactional_id)
        return newest is None or not newest.is_ending

    def init(self, transactional_id: str, *, timeout_ms: int) -> Producer | None:
        """Make a producer the only one with its id.

        None when it has to be asked again: the transaction that a former producer left open has to be aborted first.
        """
        self._fence(transactional_id)
        if not self.is_settled(transactional_id):
            return None
        return Producer(transactional_id, self._epochs[transactional_id], timeout_ms)

    def _fence(self, transactional_id: str) -> None:
        self._epochs[transactional_id] = self._epochs.get(transactional_id, -1) + 1
        newest = self._newest.get(transactional_id)
        if newest is not None and newest.outcome is Outcome.OPEN:
            newest.outcome = Outcome.ABORTED

    def open(self, producer: Producer, *, now_ms: int) -> Transaction:
        """Return the transaction of a producer, a new one if need be. Raises OutdatedProducerError."""
        if self._epochs[producer.transactional_id] != producer.epoch:
            raise OutdatedProducerError(producer)
        newest = self._newest.get(producer.transactional_id)
        if newest is None or newest.outcome is not Outcome.OPEN:
            newest = self._newest[producer.transactional_id] = Transaction(now_ms, producer.timeout_ms)
        return newest

    def expire(self, now_ms: int) -> None:
        """Abort transactions that have been open for too long, and fence their producers."""
        for transactional_id, newest in self._newest.items():
            if newest.outcome is Outcome.OPEN and now_ms - newest.began_ms > newest.timeout_ms:
                self._fence(transactional_id)
