"""A Faust app that delivers micro-batches and reports assignments. It commits nothing."""

from collections.abc import Mapping
from typing import Any, Final, cast

import faust
from aiokafka.consumer import fetcher
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from flatline.engine.log import Fetched, RebalanceListener
from flatline.engine.micro_batch import FetchedRecords, MicroBatches, UnwrappedRecords
from flatline.kafka.cluster import AsyncConsumer

FETCH_WAIT_MS: Final = 50


# For every consumer in the worker: aiokafka has no other way in.
fetcher.PartitionRecords = UnwrappedRecords


class EagerConsumerThread(driver.AIOKafkaConsumerThread):
    """Lets no fetch wait long for records, reads none that its producer took back, and tells where it goes on.

    Faust has a fetch wait up to 1.5 s, and aiokafka keeps one fetch a broker under way: while records of busy
    partitions are being applied, one for the idle partitions alone would hold up all others.
    """

    def _create_worker_consumer(self, transport: driver.Transport) -> AsyncConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        return consumer

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go back to what is committed, and where nothing is yet, to the beginning. Return what is committed.

        What is fetched while partitions are assigned is dropped, as it comes again from there. But the client only goes
        back where something is committed: of a new installation all that had been dropped was lost.
        """
        committed: Mapping[TP, int] = await self.call_thread(self._seek_to_committed)
        return committed

    async def _seek_to_committed(self) -> Mapping[TP, int]:
        consumer = self._ensure_consumer()
        committed: Mapping[TP, int] = await consumer.seek_to_committed()
        if begin := [tp for tp, offset in committed.items() if not offset and tp in consumer.assignment()]:
            await consumer.seek_to_beginning(*begin)
        return committed

    async def _fetch_records(
        self, consumer: AsyncConsumer, active_partitions: set[TP], *limits: Any, **named_limits: Any
    ) -> dict[TP, list[Any]]:
        """Return the fetched records of each active partition, perhaps none, and how far the client went for them.

        It passes marks of transactions and aborted records in silence: a worker that didn't know would wait for them.
        """
        fetched = await super()._fetch_records(consumer, active_partitions, *limits, **named_limits)
        subscription = consumer._subscription.subscription  # noqa: SLF001
        assignment = subscription and subscription.assignment
        if not assignment:
            return {}
        # A fetch that began before a rebalance may end after it, just before the flow goes on. Its records are passed
        # on all the same: the client has gone beyond them, and nobody sends it back once the flow goes on.
        asked = active_partitions & assignment.tps if self.consumer.flow_active else set()
        states = {tp: assignment.state_value(tp) for tp in fetched.keys() | asked}
        return {
            tp: FetchedRecords(fetched.get(tp, []), state.position)
            for tp, state in states.items()
            if state is not None and state.has_valid_position
        }


class DeliveringConsumer(driver.Consumer):
    """Delivers, and tells the listener of assignments. It commits nothing: tasks do, with their state.

    Faust's own bookkeeping believes in one message an offset: a micro-batch would look like a gap, and commits would
    stop at the second one.
    """

    app: "MicroBatchApp"

    def _new_consumer_thread(self) -> EagerConsumerThread:
        return EagerConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit nothing."""
        self._acked.clear()  # what was acknowledged is not needed, and would only grow
        self._acked_index.clear()
        return False

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit nothing."""
        return await self.commit()

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Note nothing: what was applied counts, not which offsets exist."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Stop the flow, then have what was applied made durable: whoever comes next need not do it again."""
        await super().on_partitions_revoked(revoked)
        await self.app.listener.revoked()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Have the partitions that are new taken over."""
        numbers = frozenset(tp.partition for tp in assigned if tp.topic == self.app.owned_by)
        cast(MicroBatches, self.scheduler).forget()
        self.app.listener.assigned(numbers, generation=generation_id)
        await super().on_partitions_assigned(assigned, generation_id)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Check nothing: the watchdog measures progress, and what Faust says here is often false."""


class DeliveringTransport(driver.Transport):
    """The aiokafka transport with a `DeliveringConsumer`."""

    Consumer = DeliveringConsumer


class MicroBatchApp(faust.App):  # noqa: TID251 - whoever makes one gives it `faust_settings`
    """A Faust app that delivers micro-batches.

    Whoever is assigned a partition of the topic ``owned_by`` owns that number, of all topics. Where every member reads
    the same topics, Faust assigns the same numbers of each. While one of a former version reads fewer, it does not:
    what is delivered to another than the owner stays uncommitted, and comes again once that version has left.
    """

    def __init__(self, name: str, *, listener: RebalanceListener, owned_by: str, **settings: Any) -> None:
        self.listener = listener
        self.owned_by = owned_by
        super().__init__(name, **settings)

    def fetched(self, topic: str, partition: int) -> Fetched:
        """Return how far the consumer is with an assigned partition.

        It runs in a thread of its own, and in a rebalance its calls raise, or wait: this looks at what it holds.
        """
        if not self.consumer.started:
            return Fetched(None, None)
        consumer = cast(DeliveringConsumer, self.consumer)._thread._consumer  # noqa: SLF001
        subscription = consumer and consumer._subscription.subscription  # noqa: SLF001
        assignment = subscription and subscription.assignment
        tp = TP(topic, partition)
        if not assignment or tp not in assignment.tps:
            return Fetched(None, None)
        state = assignment.state_value(tp)
        ends = [end for end in (state.highwater, state.lso) if end is not None and end >= 0]
        return Fetched(min(ends) if ends else None, state._position)  # noqa: SLF001

    def _create_directories(self) -> None:
        """Make no folder: the state lives in Kafka and in memory, nothing on this machine's disk."""

    def _new_transport(self) -> DeliveringTransport:
        return DeliveringTransport(self.conf.broker_consumer, self)
