"""Detects lost state: a changelog that is empty although the group has committed offsets.

A worker that started without its state would count new events only.
"""

from typing import Final

from kafka import TopicPartition

from flatline.errors import FlatlineError
from flatline.kafka.cluster import KafkaCluster
from flatline.schema.topics import Topics

_TIMEOUT_MS: Final = 60_000


class LostStateError(FlatlineError):
    """Partitions of the changelog are empty, although the group has read their records."""

    remedy = "`flatline state rebuild` makes the state anew from the log. Then start the worker again."


def refuse_lost_state(cluster: KafkaCluster, topics: Topics) -> None:
    """Raise LostStateError if state was lost; also raises KafkaError."""
    lost = lost_partitions(cluster, topics)
    if lost:
        numbers = ", ".join(map(str, lost))
        raise LostStateError(
            f"The state is lost: {topics.changelog.name} holds nothing in partition {numbers}, and the group "
            f"{topics.group} has read records of it. Counting would begin at zero."
        )


def lost_partitions(cluster: KafkaCluster, topics: Topics) -> list[int]:
    """Return the partitions for which the group has committed offsets but the changelog is empty. Raises KafkaError.

    A worker's first commit on a partition always writes a record to the changelog, whatever it has read.
    """
    changelog = topics.changelog
    # In the group's name, but never subscribed. Unlike an admin client it waits for a coordinator to be there.
    consumer = cluster.consumer(group_id=topics.group, enable_auto_commit=False)
    try:
        partitions = [TopicPartition(changelog.name, number) for number in range(changelog.partitions)]
        read = {
            number
            for topic in topics.inputs
            for number in range(topic.partitions)
            if consumer.committed(TopicPartition(topic.name, number), timeout_ms=_TIMEOUT_MS)
        }
        starts, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
    finally:
        consumer.close()
    return [tp.partition for tp in partitions if tp.partition in read and starts[tp] == ends[tp]]
