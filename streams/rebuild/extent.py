"""How long the log is, and up to where the state in use has read it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from kafka import TopicPartition

from flatline.errors import FlatlineError
from flatline.kafka.cluster import Consumer, KafkaCluster
from flatline.schema.topics import Topic, Topics

_TIMEOUT_MS: Final = 60_000


class IncompleteLogError(FlatlineError):
    """The first records of the log were deleted. The message names the oldest offsets that are left, and the remedy."""

    remedy = "`--incomplete` goes on all the same. Import the history again then: links count once."


class Committed(NamedTuple):
    """The offset up to which a consumer group has read, by topic and partition; 0 where it has read nothing."""

    offsets: Mapping[str, Mapping[int, int]]

    def of(self, number: int) -> dict[str, int]:
        """Return the offsets of one partition, by topic."""
        return {topic: offsets[number] for topic, offsets in self.offsets.items() if number in offsets}

    @property
    def total(self) -> int:
        """The sum of all offsets."""
        return sum(sum(offsets.values()) for offsets in self.offsets.values())


def log_of(topics: Topics) -> tuple[Topic, ...]:
    """Return the topics that the state is built from."""
    return topics.links, topics.articles, topics.visits, topics.removals


def committed_by(group: str, topics: Iterable[Topic], *, cluster: KafkaCluster) -> Committed:
    """Return the committed offsets of a consumer group. Raises KafkaError."""
    # In the group's name, but never subscribed: it reads what the group committed and takes part in nothing.
    consumer = cluster.consumer(group_id=group, enable_auto_commit=False)
    try:
        return Committed(
            {
                topic.name: {
                    number: consumer.committed(TopicPartition(topic.name, number), timeout_ms=_TIMEOUT_MS) or 0
                    for number in range(topic.partitions)
                }
                for topic in topics
            }
        )
    finally:
        consumer.close()


def ends_of(topics: Iterable[Topic], *, cluster: KafkaCluster) -> Committed:
    """Return the end offsets of topics for a reader of committed records. Raises KafkaError."""
    consumer = cluster.consumer(
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
    )
    try:
        names = {topic.name: range(topic.partitions) for topic in topics}
        ends = consumer.end_offsets([TopicPartition(name, number) for name in names for number in names[name]])
        return Committed(
            {name: {number: ends[TopicPartition(name, number)] for number in names[name]} for name in names}
        )
    finally:
        consumer.close()


def refuse_incomplete(topics: Iterable[Topic], *, cluster: KafkaCluster) -> None:
    """Raise IncompleteLogError if the first records of a topic were deleted; also raises KafkaError."""
    lines = []
    consumer = cluster.consumer(group_id=None, enable_auto_commit=False, consumer_timeout_ms=_TIMEOUT_MS)
    try:
        partitions = [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)]
        starts, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        for tp in partitions:
            if starts[tp] > 0:
                of = f", of {_date(consumer, tp)}" if starts[tp] < ends[tp] else ""
                lines.append(f"{tp.topic}, partition {tp.partition}: the oldest offset is {starts[tp]}{of}.")
    finally:
        consumer.close()
    if lines:
        raise IncompleteLogError(
            "\n".join(
                [
                    *lines,
                    "What was reported before is in the state that serves, and would be missing in a new one.",
                ]
            )
        )


def _date(consumer: Consumer, tp: TopicPartition) -> str:
    consumer.assign([tp])
    consumer.seek_to_beginning(tp)
    record = next(iter(consumer), None)
    return "an unknown time" if record is None else f"{datetime.fromtimestamp(record.timestamp / 1000, tz=UTC):%F %TZ}"
