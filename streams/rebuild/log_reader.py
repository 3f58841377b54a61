"""The log of a partition, from where somebody is with it up to a limit, as micro-batches."""

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
    """Yield the committed records of a partition of several topics, by topic from its position up to its limit.

    Each batch says up to where everything was delivered with it; the last one of a topic says its limit. Raises
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
