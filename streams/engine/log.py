"""The log as the engine sees it: what it needs of Kafka, and nothing else. `engine.kafka_log` is Kafka itself.

Offsets are those of a reader of committed records: they end at the last stable offset, where the first transaction
that is still open begins, and marks of transactions and aborted records have offsets but are no records.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol


class Record(Protocol):
    """A record that was read."""

    offset: int
    timestamp: int  # ms since the epoch
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class MicroBatch(NamedTuple):
    """All records of one partition that were fetched at once, in their order; perhaps none.

    ``delivered_until``  the offset before which everything was delivered with this batch, where that is beyond its last
                         record, as marks of transactions or aborted records follow it
    """

    topic: str
    partition: int
    records: Sequence[Record]
    delivered_until: int = 0

    @property
    def next_offset(self) -> int:
        """The offset to go on with after this batch."""
        return max(self.delivered_until, self.records[-1].offset + 1 if self.records else 0)


class Outgoing(NamedTuple):
    """A record to write. ``timestamp_ms`` is its record time; None is now. A value of None is a tombstone."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int | None = None
    headers: Sequence[tuple[str, bytes]] = ()


class Refused(NamedTuple):
    """A record that the broker takes under no circumstances, as its topic is set, and the broker's word for why."""

    record: Outgoing
    error: str


class Forwarded(NamedTuple):
    """A record for another partition, and what is to be written instead of it, if anything, where it is refused."""

    record: Outgoing
    instead: Callable[[Refused], Outgoing | None]


class Offset(NamedTuple):
    """An offset to commit for a consumer group, and what is kept beside it in the group's own words."""

    next_offset: int
    metadata: str = ""


class Fetched(NamedTuple):
    """How far the consumer is with a partition; None where that is not known yet.

    ``end``       where the partition ended when it was last fetched: its last stable offset
    ``position``  the offset to be fetched next: everything before it was delivered, or is about to be
    """

    end: int | None
    position: int | None


class FencedError(Exception):
    """Somebody else has become the writer of a partition: what this one wrote since its last commit is undone."""


class Writer(Protocol):
    """The right to write one partition, until somebody else takes it. One call at a time."""

    async def commit(self, records: Iterable[Outgoing], offsets: Mapping[str, Offset]) -> None:
        """Write records of any topics, and commit offsets of this partition by topic: all of it or nothing.

        ``records`` may be made while they are written: they are consumed once, in order. Raises FencedError, and other
        errors when it isn't known that everything is durable; in either case the writer is of no more use.
        """

    async def close(self) -> None:
        """Give back what it holds of connections. Raises nothing. The right to write ends with it."""


class Changelog(Protocol):
    """The compacted topic that holds the state of all partitions. Its partitions are numbered as those of the sources.

    The writer of a partition writes its changelog with records of this topic.
    """

    topic: str

    async def fence(self, partition: int) -> Writer:
        """Become the only writer of a partition. What a former one left open is aborted, and it can't commit any more.

        When it returns, everything that was committed before can be read. When it is cancelled or raises, nothing of
        it goes on in the background: no connection is left, and no request that could still fence anybody.
        """

    async def restore(self, partition: int, apply: Callable[[bytes, bytes | None], None]) -> None:
        """Call ``apply`` with key and value of every record committed to a partition of the changelog, oldest first.

        It ends where the partition ended when it was called. An error of ``apply`` passes through. It gives the event
        loop its turns, and can be cancelled.
        """


class Forwarder(Protocol):
    """Writes records outside of any transaction: what belongs on other partitions."""

    async def forward(self, records: Iterable[Outgoing]) -> list[Refused]:
        """Write records; return once all are durable, but for those that are refused for good: these it returns.

        Records of a partition stay in order. Raises what else went wrong.
        """


class Consumer(Protocol):
    """The consumer of this worker: it delivers the records of the partitions that are assigned."""

    def fetched(self, topic: str, partition: int) -> Fetched:
        """Return how far the consumer is with an assigned partition."""


class RebalanceListener(Protocol):
    """What the consumer group tells a worker. Assignments are whole: each replaces the one before."""

    async def revoked(self) -> None:
        """Make durable what was applied, and write nothing more until `assigned`.

        Called when a rebalance begins, before the worker rejoins its group: no other can have been given its
        partitions until this returns. Nothing is delivered from here to `assigned`, and nothing that was delivered
        before and not applied yet will be: it is delivered again.
        """

    def assigned(self, partitions: frozenset[int], *, generation: int) -> None:
        """Take over what is new, give up what is gone, go on with what was kept. Returns at once.

        ``generation``: of the group, one higher with each rebalance. Delivery begins again at the committed offsets.
        """
