"""Reads the committed records of a partition from a position up to a limit, as micro-batches."""

from collections.abc import AsyncIterator, Mapping
from typing import Final

from aiokafka import TopicPartition

from flatline.engine.log import MicroBatch
from flatline.kafka.cluster import KafkaCluster

RECORDS_AT_ONCE_MAX: Final = 12_000
_FETCH_BYTES_MAX: Final = 8 << 20


async def read_log(
    number: int, *, positions: Mapping[str, int], limits: Mapping[str, int], cluster: KafkaCluster
) -> AsyncIterator[MicroBatch]:
    """Yield the committed records of a partition of several topics, for each topic from its position up to its limit.

    The ``next_offset`` of a batch covers everything delivered so far; that of a topic's last batch is the limit. Raises
    KafkaError.
    """
    left = {
        TopicPartition(topic, number): (positions.get(topic, 0), limit)
        for topic, limit in limits.items()
        if positions.get(topic, 0) < limit
    }
    if not left:
        return
    async with cluster.async_consumer(
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",  # where the log begins later than what is wanted
        max_partition_fetch_bytes=_FETCH_BYTES_MAX,
    ) as consumer:
        consumer.assign(list(left))
        for tp, (position, _) in left.items():
            consumer.seek(tp, position)
        while left:
            fetched = await consumer.getmany(timeout_ms=500, max_records=RECORDS_AT_ONCE_MAX)
            for tp, (_, limit) in list(left.items()):
                records = [record for record in fetched.get(tp, ()) if record.offset < limit]
                until = min(await consumer.position(tp), limit)
                if records or until == limit:
                    yield MicroBatch(tp.topic, number, records, until)
                if until == limit:
                    del left[tp]
                    consumer.pause(tp)
