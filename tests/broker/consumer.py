"""A consumer as the engine sees it: membership in the group, and delivery of micro-batches."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection
from functools import partial
from typing import Protocol, TypeVar

from flatline.engine.log import Fetched, MicroBatch, RebalanceListener
from tests.broker.broker import Broker
from tests.broker.errors import ExpiredMemberError
from tests.broker.groups import Membership
from tests.broker.network import Network, always

T = TypeVar("T")

RECORDS_A_BATCH = 3
BATCHES_WAITING_MAX = 2


class Deliver(Protocol):
    """Takes a micro-batch that was fetched in a generation of the group."""

    async def __call__(self, batch: MicroBatch, *, generation: int) -> None:
        """Apply it."""


class MemoryConsumer:
    """One member of a group. Batches of a topic are delivered one after the other, as Faust's agents do.

    A batch that waits while the group rebalances is delivered after it, with the generation it was fetched in.
    """

    def __init__(
        self,
        broker: Broker,
        network: Network,
        *,
        group: str,
        topics: Collection[str],
        instance_id: str,
        listener: RebalanceListener,
        deliver: Deliver,
    ) -> None:
        self._broker = broker
        self._network = network
        self._group = broker.groups[group]
        self._topics = topics
        self._instance_id = instance_id
        self._listener = listener
        self._deliver = deliver
        self._fetched: defaultdict[tuple[str, int], Fetched] = defaultdict(lambda: Fetched(None, None))
        self._flow = asyncio.Event()

    def fetched(self, topic: str, partition: int) -> Fetched:
        """Return how far it is with an assigned partition."""
        return self._fetched[topic, partition]

    async def run(self) -> None:
        """Be a member of the group for ever. Raises ReplacedMemberError."""
        queues: dict[str, asyncio.Queue[tuple[MicroBatch, int]]] = {
            topic: asyncio.Queue(BATCHES_WAITING_MAX) for topic in self._topics
        }
        async with asyncio.TaskGroup() as tasks:
            for queue in queues.values():
                tasks.create_task(self._apply(queue))
            await self._take_part(queues)

    async def _apply(self, queue: asyncio.Queue[tuple[MicroBatch, int]]) -> None:
        while True:
            batch, generation = await queue.get()
            await self._flow.wait()
            await self._deliver(batch, generation=generation)

    async def _take_part(self, queues: dict[str, asyncio.Queue[tuple[MicroBatch, int]]]) -> None:
        enter = partial(self._group.enter, self._instance_id)
        membership = await self._ask("enter group", enter)
        while True:
            try:
                await self._stay(membership, queues)
                await self._ask("join group", partial(self._group.join, membership))
            except ExpiredMemberError:
                await self._stop()
                membership = await self._ask("enter group", enter)

    async def _stay(self, membership: Membership, queues: dict[str, asyncio.Queue[tuple[MicroBatch, int]]]) -> None:
        """Get an assignment and fetch what it holds, until a rebalance begins."""
        group = self._group

        def is_over() -> bool:
            return not group.is_current(membership) or group.must_join(membership)

        partitions, generation = await self._ask(
            "sync group",
            partial(group.assigned, membership),
            is_ready=lambda: not group.is_rebalancing or is_over(),
        )
        self._fetched.clear()
        self._listener.assigned(partitions, generation=generation)
        self._flow.set()
        fetching = [
            asyncio.ensure_future(self._fetch(topic, partition, queue, generation))
            for partition in sorted(partitions)
            for topic, queue in queues.items()
        ]
        try:
            await self._ask("heartbeat", partial(group.must_join, membership), is_ready=is_over)
        finally:
            for fetch in fetching:
                fetch.cancel()
        await self._stop()

    async def _stop(self) -> None:
        self._flow.clear()
        await self._listener.revoked()

    async def _fetch(
        self, topic: str, partition: int, queue: asyncio.Queue[tuple[MicroBatch, int]], generation: int
    ) -> None:
        log = self._broker.log(topic, partition)
        committed = await self._ask("committed offset", lambda: self._group.committed.get((topic, partition)))
        position = log.start if committed is None else committed.next_offset
        self._fetched[topic, partition] = Fetched(None, position)
        while True:
            (records, reached), end = await self._ask(
                "fetch",
                lambda position=position: (log.read(position, records_max=RECORDS_A_BATCH), log.last_stable_offset),
                is_ready=lambda position=position: (
                    self._fetched[topic, partition].end is None or log.last_stable_offset > position
                ),
            )
            position = reached
            self._fetched[topic, partition] = Fetched(end, position)
            await queue.put((MicroBatch(topic, partition, records, position), generation))

    async def _ask(self, name: str, effect: Callable[[], T], *, is_ready: Callable[[], bool] = always) -> T:
        """Ask the broker, again when the network fails."""
        while True:
            try:
                return await self._network.call(name, effect, is_ready=is_ready)
            except ConnectionResetError:
                pass
