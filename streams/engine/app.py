"""A Faust app on micro-batches, whose commits are guarded."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, cast

import faust
from aiokafka import AIOKafkaConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.engine.commit_guard import CommitGuard

FETCH_WAIT_MS: Final = 50


class EagerConsumerThread(driver.AIOKafkaConsumerThread):
    """Lets no fetch wait long for records.

    Faust has a fetch wait up to 1.5 s, and aiokafka keeps one fetch a broker under way: while records of busy
    partitions are being applied, one for the idle partitions alone would hold up all others.
    """

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001
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

    def _new_consumer_thread(self) -> EagerConsumerThread:
        return EagerConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def _guard(self) -> CommitGuard:
        return cast(MicroBatchApp, self.app).guard

    def is_member(self) -> bool:
        """Whether the group's coordinator still knows this worker in the generation that it was assigned in."""
        coordinator = self._thread._ensure_consumer()._coordinator  # noqa: SLF001
        return bool(coordinator.generation == self.app.consumer_generation_id)

    def fetched(self, tp: TP) -> Fetched:
        """Look how far the client is: it runs in a thread of its own, and in a rebalance its calls raise, or wait."""
        subscription = self._thread._ensure_consumer()._subscription.subscription  # noqa: SLF001
        assignment = subscription and subscription.assignment
        state = assignment and assignment.state_value(tp)
        return Fetched(state.highwater, state._position) if state else Fetched(None, None)  # noqa: SLF001

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Make everything applied durable, then commit its offsets."""
        producer = cast(driver.Producer, self.app.producer)._producer  # noqa: SLF001
        if producer is not None:
            await self._guard.flush(producer, is_member=self.is_member)
        return bool(await super().force_commit(topics, start_new_transaction=start_new_transaction))

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        # Faust's list of what was acknowledged is not needed, and would only grow.
        self._acked.clear()
        self._acked_index.clear()
        return (tp for tp in self._guard.durable_partitions if not topics or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self._guard.durable(tp)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Note nothing: what was applied counts, not which offsets exist."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finish and commit what is in hand, then stop writing."""
        await super().on_partitions_revoked(revoked)
        self._guard.lose()

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Check nothing: the watchdog measures progress, and what Faust says here is often false."""


class GuardedTransport(driver.Transport):
    """The aiokafka transport with a `GuardedConsumer`."""

    Consumer = GuardedConsumer


class MicroBatchApp(faust.App):
    """A Faust app with a commit guard. ``guard`` is set before the app starts."""

    guard: CommitGuard

    def _create_directories(self) -> None:
        """Make no folder: the state lives in Kafka and in memory, nothing on this machine's disk."""

    def _new_transport(self) -> GuardedTransport:
        return GuardedTransport(self.conf.broker_consumer, self)
