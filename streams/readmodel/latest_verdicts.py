"""The newest verdict on every article, read from the verdicts topic."""

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import TopicPartition

from flatline.kafka.cluster import Consumer, KafkaCluster
from flatline.readmodel.readable import readable
from flatline.readmodel.records import records
from flatline.schema import codec
from flatline.schema.offset_metadata import judged_until
from flatline.schema.topics import Topic, Topics
from flatline.schema.verdict import Verdict


def latest_verdicts(cluster: KafkaCluster, topic: Topic) -> list[Verdict]:
    """Read the topic from its beginning to where it ends now; unreadable records are skipped. Raises KafkaError."""
    return readable(topic.name, latest_values(cluster, topic), lambda _, value: codec.verdicts.decode(value))


def latest_values(cluster: KafkaCluster, topic: Topic, *, partition: int | None = None) -> dict[bytes, bytes]:
    """Return the newest value of each key of a compacted topic, in the order in which they came. Raises KafkaError.

    Of all partitions, or of one.
    """
    values: dict[bytes, bytes | None] = {}
    for record in records(cluster, topic, partition=partition):
        key = record.key or b""
        values.pop(key, None)  # what comes later stands later
        values[key] = record.value
    return {key: value for key, value in values.items() if value is not None}


def waiting_records(cluster: KafkaCluster, topics: Topics) -> int:
    """Return how many records the verdicts that can be read don't hold yet. Raises KafkaError.

    Of all inputs; and verdicts whose transaction has not quite ended.
    """
    # In the group's name, but never subscribed: they read what the group committed and take part in nothing.
    with _consumer(cluster, topics, "read_committed") as readable, _consumer(cluster, topics) as written:
        partitions = _partitions(*topics.inputs)
        # What is committed first: a record that is sent on meanwhile must not be missed on both partitions.
        committed = {tp: readable.committed(tp, metadata=True) for tp in partitions}
        judged = {tp: judged_until(offset.metadata) if offset else 0 for tp, offset in committed.items()}
        # What is behind a transaction that is open can't be read by the workers either.
        ends, starts = readable.end_offsets(partitions), readable.beginning_offsets(partitions)
        waiting: int = sum(max(0, ends[tp] - max(judged[tp], starts[tp])) for tp in partitions)
        # The end of a transaction reaches one partition after the other: offsets may be there before the verdicts are.
        verdicts = _partitions(topics.verdicts)
        ends, stable = written.end_offsets(verdicts), readable.end_offsets(verdicts)
        undecided: int = sum(ends[tp] - stable[tp] for tp in verdicts if ends[tp] > stable[tp])
        return waiting + undecided


@contextmanager
def _consumer(cluster: KafkaCluster, topics: Topics, isolation_level: str = "read_uncommitted") -> Iterator[Consumer]:
    consumer = cluster.consumer(
        enable_auto_commit=False,
        group_id=topics.group,
        isolation_level=isolation_level,
    )
    try:
        yield consumer
    finally:
        consumer.close()


def _partitions(*topics: Topic) -> list[TopicPartition]:
    return [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)]
