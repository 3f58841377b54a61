"""kafka-python's partitioner, but that it computes a key's partition as the workers do, and remembers it."""

from typing import Any

from kafka.partitioner import DefaultPartitioner

from flatline.schema.partitioning import partition_of


class ArticlePartitioner(DefaultPartitioner):  # type: ignore[misc] # kafka-python has no types
    """The same choice as kafka-python's own, several times as fast."""

    def partition(self, topic: str, key: bytes | None, *others: Any) -> int:
        """Return the partition of ``key``; the last of the others is the cluster's metadata."""
        if key is None:
            return int(super().partition(topic, key, *others))
        return partition_of(key, len(others[-1].partitions_for_topic(topic)))
