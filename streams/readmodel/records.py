"""All records of a topic."""

from collections.abc import Iterator
from typing import Protocol

from kafka import TopicPartition

from flatline.kafka.cluster import KafkaCluster
from flatline.schema.topics import Topic


class Record(Protocol):
    """A record as the Kafka client gives it."""

    key: bytes | None
    value: bytes | None
    timestamp: int  # ms since the epoch


def records(
    cluster: KafkaCluster, topic: Topic, *, partition: int | None = None, since_ms: int = 0
) -> Iterator[Record]:
    """Yield the records of a topic, or of one partition, from its beginning to where it ends now. Raises KafkaError.

    ``since_ms``: none that were written before that instant are needed.
    """
    consumer = cluster.consumer(
        enable_auto_commit=False,
        group_id=None,
        isolation_level="read_committed",  # workers write in transactions; what was aborted was never said
    )
    try:
        numbers = range(topic.partitions) if partition is None else (partition,)
        partitions = [TopicPartition(topic.name, number) for number in numbers]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        consumer.seek_to_beginning(*partitions)
        if since_ms:
            for tp, found in consumer.offsets_for_times(dict.fromkeys(partitions, since_ms)).items():
                consumer.seek(tp, ends[tp] if found is None else found.offset)
        while any(consumer.position(tp) < ends[tp] for tp in partitions):
            for fetched in consumer.poll(timeout_ms=500, max_records=10_000).values():
                yield from fetched
    finally:
        consumer.close()
