"""Records as they lie in Kafka."""

from typing import NamedTuple

from kafka import KafkaConsumer, TopicPartition

from streams.schema.topics import Topic


class Stored(NamedTuple):
    """A record, with its headers as text."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, str]


def read_all(bootstrap: str, topic: Topic) -> list[Stored]:
    """Return every record of a topic, as it ends now."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        consumer.seek_to_beginning(*partitions)
        stored: list[Stored] = []
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for records in consumer.poll(timeout_ms=200).values():
                stored.extend(
                    Stored(r.partition, r.offset, r.key, r.value, {name: word.decode() for name, word in r.headers})
                    for r in records
                )
        return stored
    finally:
        consumer.close()
