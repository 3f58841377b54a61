"""A Faust app on micro-batches, whose commits are guarded."""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, cast

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer import fetcher
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.engine.commit_guard import CommitGuard
from streams.engine.micro_batch import UnwrappedRecords
from streams.engine.ownership import Ownership

FETCH_WAIT_MS: Final = 50


# For every consumer in the worker: aiokafka has no other way in.
fetcher.PartitionRecords = UnwrappedRecords


class EagerConsumerThread(driver.AIOKafkaConsumerThread):
    """Lets no fetch wait long for records, and reads none that its producer took back.

    Faust has a fetch wait up to 1.5 s, and aiokafka keeps one fetch a broker under way: while records of busy
    partitions are being applied, one for the idle partitions alone would hold up all others.
    """

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        return consumer


class Fetched(NamedTuple):
    """How far the client is with a partition: where it ends, and the offset to fetch next; None where unknown yet."""

    high_water: int | None
    position: int | None


class GuardedConsumer(driver.Consumer):
    """Commits what the guard made durable.

    Faust's own bookkeeping believes in one message an offset: a micro-batch would look like a gap, and commits would
    stop at the second one.
    """

    app: "MicroBatchApp"

    def _new_consumer_thread(self) -> EagerConsumerThread:
        return EagerConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def fetched(self, tp: TP) -> Fetched:
        """Look how far the client is: it runs in a thread of its own, and in a rebalance its calls raise, or wait."""
        subscription = self._thread._ensure_consumer()._subscription.subscription  # noqa: SLF001
        assignment = subscription and subscription.assignment
        state = assignment and assignment.state_value(tp)
        return Fetched(state.highwater, state._position) if state else Fetched(None, None)  # noqa: SLF001

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit, unless it pays to wait; Faust calls this every commit interval."""
        if start_new_transaction and self.app.may_commit_later():  # it is False when the worker ends
            return False
        return bool(await super().commit(topics, start_new_transaction=start_new_transaction))

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Make everything applied durable, then commit its offsets."""
        producer = cast(driver.Producer, self.app.producer)._producer  # noqa: SLF001
        if producer is not None:
            await self.app.guard.flush(producer)
        return bool(await super().force_commit(topics, start_new_transaction=start_new_transaction))

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        # Faust's list of what was acknowledged is not needed, and would only grow.
        self._acked.clear()
        self._acked_index.clear()
        durable = (TP(topic, number) for topic, number, _ in self.app.ownership.durable_offsets())
        return (tp for tp in durable if not topics or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        owned = self.app.ownership.owned.get(tp.partition)
        return None if owned is None else owned.durable.get(tp.topic)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Note nothing: what was applied counts, not which offsets exist."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Stop the flow, then make durable what was applied: whoever comes next need not do it again."""
        await super().on_partitions_revoked(revoked)
        await self.force_commit()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Begin to take over the partitions that are new."""
        numbers = frozenset(tp.partition for tp in assigned)
        self.app.ownership.assign(numbers, generation=generation_id)
        await super().on_partitions_assigned(assigned, generation_id)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Check nothing: the watchdog measures progress, and what Faust says here is often false."""


class GuardedTransport(driver.Transport):
    """The aiokafka transport with a `GuardedConsumer`."""

    Consumer = GuardedConsumer


class MicroBatchApp(faust.App):
    """A Faust app with a commit guard. Its own attributes are set before it starts.

    ``may_commit_later``  whether a commit that is due may be left out, to do more at once
    """

    guard: CommitGuard
    ownership: Ownership
    may_commit_later: Callable[[], bool] = staticmethod(lambda: False)

    def _create_directories(self) -> None:
        """Make no folder: the state lives in Kafka and in memory, nothing on this machine's disk."""

    def _new_transport(self) -> GuardedTransport:
        return GuardedTransport(self.conf.broker_consumer, self)
