"""Looks for somebody in every record of topics."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from kafka import TopicPartition

from flatline.kafka.cluster import KafkaCluster

Mentions = Callable[[bytes | None], bool]
RECORDS_AT_ONCE_MAX: Final = 10_000


def existing(cluster: KafkaCluster, names: Iterable[str]) -> list[str]:
    """Return those of the topics that exist, in the same order. Raises KafkaError."""
    with cluster.admin() as admin:
        there = set(admin.list_topics())
    return [name for name in dict.fromkeys(names) if name in there]


def found_in(cluster: KafkaCluster, names: Iterable[str], mentions: Mentions) -> dict[str, int]:
    """Return how many records of each topic mention somebody in key, value or headers.

    Those of aborted transactions are included; a topic that does not exist is left out. Raises KafkaError.
    """
    return {name: sum(map(_is_found(mentions), all_records(cluster, name))) for name in existing(cluster, names)}


def all_records(cluster: KafkaCluster, name: str, *, isolation_level: str = "read_uncommitted") -> Iterator[Any]:
    """Yield every record of a topic, as the Kafka client gives it, to where the topic ends now. Raises KafkaError."""
    consumer = cluster.consumer(enable_auto_commit=False, group_id=None, isolation_level=isolation_level)
    try:
        partitions = [TopicPartition(name, number) for number in consumer.partitions_for_topic(name) or ()]
        if not partitions:
            return
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        consumer.seek_to_beginning(*partitions)
        while any(consumer.position(tp) < ends[tp] for tp in partitions):
            for fetched in consumer.poll(timeout_ms=500, max_records=RECORDS_AT_ONCE_MAX).values():
                yield from fetched
    finally:
        consumer.close()


def _is_found(mentions: Mentions) -> Callable[[Any], bool]:
    def is_found(record: Any) -> bool:
        return (
            mentions(record.key)
            or mentions(record.value)
            or any(mentions(name.encode()) or mentions(word) for name, word in record.headers)
        )

    return is_found
