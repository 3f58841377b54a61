"""One owner a partition: who takes it over fences the owner before, and then reads all that it made durable.

The fence is Kafka's own. Whoever writes a partition's changelog does so through a producer with the transactional id
of that partition; the broker lets only the newest producer with that id write. So nothing that a former owner still
has in hand, on the wire, or in a paused process can overwrite what came after it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import ProducerFenced

from streams.engine.batch_writer import write
from streams.engine.ending import die
from streams.engine.log import Outgoing
from streams.engine.partition import Partition

FETCH_BYTES_MAX: Final = 4 << 20
BATCH_BYTES_MAX: Final = 1 << 19
TRANSACTION_TIMEOUT_MS: Final = 60_000


class Changelog:
    """The changelog topic. ``client`` holds what every Kafka client of this worker is made with."""

    def __init__(self, topic: str, *, client: Mapping[str, Any]) -> None:
        self.topic = topic
        self._client = client

    async def fence(self, number: int) -> "PartitionWriter":
        """Become the only one who can write a partition; end what a former owner left open. Raises KafkaError."""
        producer = AIOKafkaProducer(
            **self._client,
            transactional_id=f"{self.topic}-{number}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            max_batch_size=BATCH_BYTES_MAX,
        )
        await producer.start()
        return PartitionWriter(producer, self.topic, number)

    async def restore(self, number: int, partition: Partition) -> None:
        """Fill a partition with all that was committed of it. Raises KafkaError and UnknownFormatError."""
        tp, restore = TopicPartition(self.topic, number), partition.restore
        async with AIOKafkaConsumer(
            **self._client,
            isolation_level="read_committed",  # what was begun and not committed will be done again
            max_partition_fetch_bytes=FETCH_BYTES_MAX,
            enable_auto_commit=False,
            # Not by a seek: the answer to a reset that is under way would come after it, and undo it.
            auto_offset_reset="earliest",
        ) as consumer:
            consumer.assign([tp])
            end = (await consumer.end_offsets([tp]))[tp]
            while await consumer.position(tp) < end:
                for records in (await consumer.getmany(timeout_ms=1_000)).values():
                    for record in records:
                        restore(record.key, record.value)


class PartitionWriter:
    """The right to write one partition, until somebody else takes it."""

    def __init__(self, producer: Any, topic: str, number: int) -> None:
        self._producer = producer
        self._topic = topic
        self._number = number

    async def commit(self, outgoing: Iterable[Outgoing], changes: Iterable[tuple[bytes, bytes]]) -> None:
        """Make records of any topics and changes of the state durable, all or none of them. Raises KafkaError."""
        changelog = (Outgoing(self._topic, self._number, key, value) for key, value in changes)
        try:
            async with self._producer.transaction():
                await write(self._producer, outgoing)
                await write(self._producer, changelog)
        except ProducerFenced:
            die(
                f"another worker has taken over partition {self._number}, or the broker was away for too long; if this "
                "happens again and again, two workers have the same host name, address and port"
            )

    async def close(self) -> None:
        """Give the connection back."""
        await self._producer.stop()
