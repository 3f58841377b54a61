"""Kafka as `engine.log` wants it: fences by transactional ids, a commit is one transaction.

Whoever writes a partition's changelog does so through a producer with the transactional id of that partition; the
broker lets only the newest producer with that id write. So nothing that a former owner still has in hand, on the wire,
or in a paused process can overwrite what came after it. The offsets are committed in the same transaction.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import (
    BrokerResponseError,
    CorruptRecordException,
    InvalidTimestampError,
    KafkaConnectionError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    ProducerFenced,
    RecordListTooLargeError,
    UnsupportedForMessageFormatError,
    kafka_errors,
)

from flatline.engine.batch_writer import NO_LIMITS, write
from flatline.engine.log import FencedError, Offset, Outgoing, Refused
from flatline.kafka.cluster import AsyncConsumer, AsyncProducer, KafkaCluster

FETCH_BYTES_MAX: Final = 4 << 20
BATCH_BYTES_MAX: Final = 1 << 19
TRANSACTION_TIMEOUT_MS: Final = 60_000
ANSWER_S: Final = 10.0
RETRY_S: Final = 1.0

log = logging.getLogger("flatline.engine")


class KafkaChangelog:
    """A changelog topic, and the consumer group whose offsets are committed with it.

    ``bytes_max``: by topic how large a batch may be, where that is not much.
    """

    def __init__(
        self, topic: str, *, group: str, cluster: KafkaCluster, bytes_max: Mapping[str, int] = NO_LIMITS
    ) -> None:
        self.topic = topic
        self._bytes_max = bytes_max
        self._group = group
        self._cluster = cluster

    async def fence(self, partition: int) -> "KafkaWriter":
        """Become the only writer of a partition. Raises KafkaError."""
        producer = self._cluster.async_producer(
            transactional_id=f"{self.topic}-{partition}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            max_batch_size=BATCH_BYTES_MAX,
        )
        try:
            await _to_its_end(producer.start())
        except BaseException:
            await stop_producer(producer)
            raise
        return KafkaWriter(producer, partition, group=self._group, bytes_max=self._bytes_max)

    async def restore(self, partition: int, apply: Callable[[bytes, bytes | None], None]) -> None:
        """Call ``apply`` with all that was committed of a partition. Raises KafkaError, and what ``apply`` raises."""
        is_given_up = asyncio.Event()
        await _to_its_end(self._restore(partition, apply, is_given_up), give_up=is_given_up.set)

    async def _restore(
        self, partition: int, apply: Callable[[bytes, bytes | None], None], is_given_up: asyncio.Event
    ) -> None:
        tp = TopicPartition(self.topic, partition)
        consumer = self._cluster.async_consumer(
            isolation_level="read_committed",  # what was begun and not committed will be done again
            max_partition_fetch_bytes=FETCH_BYTES_MAX,
            enable_auto_commit=False,
            # Not by a seek: the answer to a reset that is under way would come after it, and undo it.
            auto_offset_reset="earliest",
        )
        async with started(consumer):
            consumer.assign([tp])
            end = (await consumer.end_offsets([tp]))[tp]
            while not is_given_up.is_set() and await consumer.position(tp) < end:
                for records in (await consumer.getmany(timeout_ms=1_000)).values():
                    for record in records:
                        if record.key is not None:
                            apply(record.key, record.value)


class KafkaWriter:
    """A producer that nobody else's has fenced yet."""

    def __init__(self, producer: Any, partition: int, *, group: str, bytes_max: Mapping[str, int]) -> None:
        self._bytes_max = bytes_max
        self._producer = producer
        self._partition = partition
        self._group = group

    async def commit(self, records: Iterable[Outgoing], offsets: Mapping[str, Offset]) -> None:
        """Write records and offsets in one transaction. Raises FencedError and KafkaError."""
        positions = {TopicPartition(topic, self._partition): tuple(offset) for topic, offset in offsets.items()}
        try:
            async with self._producer.transaction():
                await write(self._producer, records, bytes_max=self._bytes_max)
                if positions:
                    await self._producer.send_offsets_to_transaction(positions, self._group)
        except ProducerFenced as fenced:
            raise FencedError from fenced

    async def close(self) -> None:
        """Give the connection back."""
        await stop_producer(self._producer)


class InvalidRecordError(BrokerResponseError):  # type: ignore[misc]
    """The broker's word for a record that its topic can't take, such as one without a key where it is compacted."""

    errno = 87
    message = "INVALID_RECORD"


kafka_errors.setdefault(InvalidRecordError.errno, InvalidRecordError)  # the client takes it for an unknown error

REFUSALS: Final = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    InvalidTimestampError,
    CorruptRecordException,
    PolicyViolationError,
    UnsupportedForMessageFormatError,
    InvalidRecordError,
)
"""What the broker answers to a batch that it won't take however often it is asked."""


class KafkaForwarder:
    """Writes outside of transactions: written twice these records do no harm, and marks of transactions look like lag.

    It connects when it is first needed: most workers never forward anything. A broker that is away then is waited for,
    as clients do that have been connected; the watchdog sees a commit that waits too long.
    """

    def __init__(self, cluster: KafkaCluster, *, bytes_max: Mapping[str, int] = NO_LIMITS) -> None:
        self._cluster = cluster
        self._bytes_max = bytes_max
        self._producer: AsyncProducer | None = None
        self._one_at_a_time = asyncio.Lock()

    async def forward(self, records: Iterable[Outgoing]) -> list[Refused]:
        """Write records; return those that are refused, once all others are durable. Raises KafkaError."""
        records = list(records)
        # A batch that is refused is a gap in its sequence: from then on this producer is refused, whoever writes.
        async with self._one_at_a_time:
            try:
                await write(await self._connected(), records, bytes_max=self._bytes_max)
            except REFUSALS:
                await self.close()
                return await self._without_refused(records)
        return []

    async def _connected(self) -> AsyncProducer:
        while self._producer is None:
            producer = self._cluster.async_producer(enable_idempotence=True, max_batch_size=BATCH_BYTES_MAX)
            try:
                await producer.start()
                self._producer = producer
            except KafkaConnectionError as error:
                log.warning("what belongs on other partitions can't be written yet: %s", error)
                await asyncio.sleep(RETRY_S)
            finally:
                if self._producer is None:
                    await stop_producer(producer)
        return self._producer

    async def _without_refused(self, records: Sequence[Outgoing]) -> list[Refused]:
        """Write all that can be written, and return the rest. The broker refuses batches: it is asked of ever less."""
        producer = self._cluster.async_producer(acks="all", max_batch_size=BATCH_BYTES_MAX)
        try:
            await producer.start()
            return [each async for each in _refused(producer, records)]
        finally:
            await stop_producer(producer)

    async def close(self) -> None:
        """Give the connection back."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_producer(producer)


async def _refused(producer: AsyncProducer, records: Sequence[Outgoing]) -> AsyncIterator[Refused]:
    """Write records, in halves where something is refused; yield what is refused by itself."""
    try:
        await write(producer, records)
    except REFUSALS as error:
        if len(records) == 1:
            yield Refused(records[0], error.message)
            return
        half = len(records) // 2
        for part in (records[:half], records[half:]):
            async for each in _refused(producer, part):
                yield each


async def _to_its_end(work: Coroutine[Any, Any, None], *, give_up: Callable[[], None] = lambda: None) -> None:
    """Await some work of a client. When it is cancelled it gives the work up and waits for its end, for a while.

    Cut off in the middle a client leaves behind what it is connecting to; and a request that is on its way may fence
    whoever comes next.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        give_up()
        await asyncio.wait([task], timeout=ANSWER_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


@asynccontextmanager
async def started(consumer: AsyncConsumer) -> AsyncIterator[None]:
    """Start a consumer for the block, and stop it whatever comes. Its own context does not if its start fails."""
    try:
        await consumer.start()
        yield
    finally:
        await consumer.stop()


async def stop_producer(producer: AsyncProducer) -> None:
    """Stop a producer, started or not. Raises nothing: it is of no more use either way."""
    try:
        async with asyncio.timeout(ANSWER_S):
            await producer.stop()
    except Exception as error:  # noqa: BLE001
        log.warning("a producer did not stop as it should: %r", error)
        await producer.client.close()
