"""The newest verdict on every article, read from the verdicts topic."""

from kafka import KafkaConsumer, TopicPartition

from streams.readmodel.records import records
from streams.schema import codec
from streams.schema.offset_metadata import judged_until
from streams.schema.topics import Topic, Topics
from streams.schema.verdict import Verdict


def latest_verdicts(bootstrap: str, topic: Topic) -> list[Verdict]:
    """Read the topic from its beginning to where it ends now. Raises KafkaError."""
    return [codec.verdicts.decode(value) for value in latest_values(bootstrap, topic).values()]


def latest_values(bootstrap: str, topic: Topic, *, partition: int | None = None) -> dict[bytes, bytes]:
    """Return the newest value of each key of a compacted topic, in the order in which they came. Raises KafkaError.

    Of all partitions, or of one.
    """
    values: dict[bytes, bytes | None] = {}
    for record in records(bootstrap, topic, partition=partition):
        key = record.key or b""
        values.pop(key, None)  # what comes later stands later
        values[key] = record.value
    return {key: value for key, value in values.items() if value is not None}


def waiting_records(bootstrap: str, topics: Topics) -> int:
    """Return how many records of links, articles and visits the verdicts don't hold yet. Raises KafkaError."""
    # In the group's name, but never subscribed: it reads what the group committed and takes part in nothing.
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap.split(","),
        enable_auto_commit=False,
        group_id=topics.namespace,
        isolation_level="read_committed",  # what is in a transaction that is open can't be waited for
    )
    try:
        partitions = [
            TopicPartition(topic.name, number)
            for topic in (topics.links, topics.articles, topics.visits)
            for number in range(topic.partitions)
        ]
        # What is committed first: a record that is sent on meanwhile must not be missed on both partitions.
        committed = {tp: consumer.committed(tp, metadata=True) for tp in partitions}
        judged = {tp: judged_until(offset.metadata) if offset else 0 for tp, offset in committed.items()}
        ends, starts = consumer.end_offsets(partitions), consumer.beginning_offsets(partitions)
        return sum(max(0, ends[tp] - max(judged[tp], starts[tp])) for tp in partitions)
    finally:
        consumer.close()
