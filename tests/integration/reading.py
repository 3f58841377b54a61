"""Records as they lie in Kafka, and how far the workers are with them."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition

from flatline.schema.topics import Topic, Topics


class Stored(NamedTuple):
    """A record, with its headers as text."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, str]


def read(bootstrap: str, topic: Topic, **settings: Any) -> Iterator[Stored]:
    """Yield every record of a topic, as it ends now. ``settings`` are more of the consumer's."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, **settings)
    try:
        partitions = _partitions(topic)
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        consumer.seek_to_beginning(*partitions)
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for records in consumer.poll(timeout_ms=200, max_records=10_000).values():
                for r in records:
                    headers = {name: word.decode() for name, word in r.headers}
                    yield Stored(r.partition, r.offset, r.timestamp, r.key, r.value, headers)
    finally:
        consumer.close()


def read_all(bootstrap: str, topic: Topic) -> list[Stored]:
    """Return every record of a topic, as it ends now."""
    return list(read(bootstrap, topic))


class Progress(NamedTuple):
    """How far the workers are with the links: offsets summed over partitions, and whether no record waits."""

    committed: int
    end: int
    is_complete: bool


def progress(bootstrap: str, topics: Topics) -> Progress:
    """Look how far the workers are. An offset without a record, such as the mark of a transaction, does not wait."""
    # In the group's name, but never subscribed: it reads what the group committed and takes part in nothing.
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, group_id=topics.group)
    try:
        partitions = _partitions(topics.links)
        committed = {partition: consumer.committed(partition) or 0 for partition in partitions}
        ends, starts = consumer.end_offsets(partitions), consumer.beginning_offsets(partitions)
        behind = [partition for partition in partitions if committed[partition] < ends[partition]]
        consumer.assign(behind)
        for partition in behind:
            consumer.seek(partition, max(committed[partition], starts[partition]))
        found = False
        while not found and any(consumer.position(partition) < ends[partition] for partition in behind):
            found = bool(consumer.poll(timeout_ms=200, max_records=1))
        return Progress(sum(committed.values()), sum(ends.values()), is_complete=not found)
    finally:
        consumer.close()


def _partitions(topic: Topic) -> Sequence[TopicPartition]:
    return [TopicPartition(topic.name, number) for number in range(topic.partitions)]
