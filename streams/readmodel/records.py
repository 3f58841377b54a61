"""All records of a topic."""

from collections.abc import Iterator
from typing import Protocol

from kafka import KafkaConsumer, TopicPartition

from streams.schema.topics import Topic


class Record(Protocol):
    """A record as the Kafka client gives it."""

    key: bytes | None
    value: bytes | None
    timestamp: int  # ms since the epoch


def records(bootstrap: str, topic: Topic) -> Iterator[Record]:
    """Yield the records of a topic from its beginning to where it ends now. Raises KafkaError."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap.split(","), enable_auto_commit=False, group_id=None)
    try:
        partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        consumer.seek_to_beginning(*partitions)
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for fetched in consumer.poll(timeout_ms=500, max_records=10_000).values():
                yield from fetched
    finally:
        consumer.close()
