"""The in-memory broker as `flatline.engine.log` wants it: what `flatline.engine.kafka_log` is for Kafka."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from flatline.engine.log import FencedError, Offset, Outgoing, Refused
from tests.broker.broker import Broker
from tests.broker.errors import BrokerError, OutdatedProducerError, RefusedError
from tests.broker.network import Network
from tests.broker.partition_log import Outcome, bytes_of
from tests.broker.transactions import Producer

TRANSACTION_TIMEOUT_MS = 60_000
BATCH_BYTES_MAX = 1 << 19
RECORDS_A_REQUEST = 4
"""Few, so that a crash between two requests leaves part of what was to be written."""


class MemoryChangelog:
    """A changelog topic, and the consumer group whose offsets are committed with it."""

    def __init__(self, broker: Broker, network: Network, topic: str, *, group: str) -> None:
        self.topic = topic
        self._broker = broker
        self._network = network
        self._group = group

    async def fence(self, partition: int) -> "MemoryWriter":
        """Become the only writer of a partition."""
        starting = asyncio.ensure_future(self._init(f"{self.topic}-{partition}"))
        try:
            producer = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # A request that is on its way would fence whoever comes next: its answer is waited for.
            await asyncio.wait([starting])
            raise
        return MemoryWriter(self._broker, self._network, producer, partition, group=self._group)

    async def _init(self, transactional_id: str) -> Producer:
        transactions = self._broker.transactions
        init = partial(transactions.init, transactional_id, timeout_ms=TRANSACTION_TIMEOUT_MS)
        settled = partial(transactions.is_settled, transactional_id)
        while (producer := await self._network.call("init producer", init, is_ready=settled)) is None:
            pass
        return producer

    async def restore(self, partition: int, apply: Callable[[bytes, bytes | None], None]) -> None:
        """Call ``apply`` with all that was committed of a partition."""
        log = self._broker.log(self.topic, partition)
        end, position = await self._network.call("end offset", lambda: (log.last_stable_offset, log.start))
        while position < end:
            fetch = partial(log.read, position, records_max=RECORDS_A_REQUEST)
            records, position = await self._network.call("fetch changelog", fetch)
            for record in records:
                apply(record.key, record.value)  # type: ignore[arg-type]


class MemoryWriter:
    """A producer that nobody else's has fenced yet."""

    def __init__(self, broker: Broker, network: Network, producer: Producer, partition: int, *, group: str) -> None:
        self._broker = broker
        self._network = network
        self._producer = producer
        self._partition = partition
        self._group = group
        self._is_spent = False

    async def commit(self, records: Iterable[Outgoing], offsets: Mapping[str, Offset]) -> None:
        """Write records and offsets in one transaction. Raises FencedError and BrokerError."""
        assert not self._is_spent, "it was closed, or a former commit failed"
        self._is_spent = True
        try:
            if await self._write(records, offsets):
                await self._end(Outcome.COMMITTED)
            self._is_spent = False
        except OutdatedProducerError as fenced:
            raise FencedError from fenced
        except (BrokerError, ConnectionError) as error:
            if isinstance(error, RefusedError):
                await self._end(Outcome.ABORTED)
            raise
        except Exception:
            await self._end(Outcome.ABORTED)
            raise

    async def _write(self, records: Iterable[Outgoing], offsets: Mapping[str, Offset]) -> bool:
        """Write all within a transaction; return whether there was anything to write."""
        has_written = False
        for topic, partition, batch in _batches(records):
            await self._call("produce", partial(self._broker.produce, topic, partition, batch, self._producer))
            has_written = True
        if offsets:
            await self._call("offsets", partial(self._add_offsets, offsets))
        return has_written or bool(offsets)

    def _add_offsets(self, offsets: Mapping[str, Offset]) -> None:
        transaction = self._broker.transactions.open(self._producer, now_ms=self._broker.now_ms())
        mine = transaction.offsets.setdefault(self._broker.groups[self._group], {})
        mine.update({(topic, self._partition): offset for topic, offset in offsets.items()})

    async def _end(self, outcome: Outcome) -> None:
        def end() -> None:
            self._broker.transactions.open(self._producer, now_ms=self._broker.now_ms()).outcome = outcome

        await self._call("end transaction", end)

    async def _call(self, name: str, effect: Callable[[], None]) -> None:
        settled = partial(self._broker.transactions.is_settled, self._producer.transactional_id)
        await self._network.call(name, effect, is_ready=settled)

    async def close(self) -> None:
        """Write no more."""
        self._is_spent = True


class MemoryForwarder:
    """Writes outside of transactions."""

    def __init__(self, broker: Broker, network: Network) -> None:
        self._broker = broker
        self._network = network

    async def forward(self, records: Iterable[Outgoing]) -> list[Refused]:
        """Write records; return those that are refused, once all others are durable. Raises BrokerError."""
        refused: list[Refused] = []
        for topic, partition, batch in _batches(records):
            try:
                await self._network.call("forward", partial(self._broker.produce, topic, partition, batch))
            except RefusedError as error:
                if len(batch) == 1:
                    refused.append(Refused(batch[0], str(error)))
                    continue
                for record in batch:
                    refused += await self.forward([record])
        return refused


def _batches(records: Iterable[Outgoing]) -> Iterator[tuple[str, int, list[Outgoing]]]:
    """Yield small batches, each of one partition. A record that is too long is in a batch of its own."""
    batch: list[Outgoing] = []
    for record in records:
        is_other = batch and batch[0][:2] != record[:2]
        if is_other or len(batch) == RECORDS_A_REQUEST or (batch and bytes_of([*batch, record]) > BATCH_BYTES_MAX):
            yield batch[0].topic, batch[0].partition, batch
            batch = []
        batch.append(record)
    if batch:
        yield batch[0].topic, batch[0].partition, batch
