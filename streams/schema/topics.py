"""Topics as data, declared once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

DAY_MS = 86_400_000
MESSAGE_BYTES_MAX = 1_048_588  # Kafka's own default, stated as that of the dead letters depends on it


@dataclass(frozen=True)
class Topic:
    """One topic: its name, what its key is, and how the broker keeps it."""

    name: str
    key: str
    partitions: int
    cleanup_policy: Literal["compact", "delete"]
    retention_ms: int | None = None
    max_message_bytes: int = MESSAGE_BYTES_MAX

    def config(self) -> Mapping[str, str]:
        """Return the topic's settings in the broker's own words."""
        retention = {} if self.retention_ms is None else {"retention.ms": str(self.retention_ms)}
        return {
            "cleanup.policy": self.cleanup_policy,
            "max.message.bytes": str(self.max_message_bytes),
            **retention,
        }


class Topics:
    """All topics of one installation. ``namespace`` lets several share a cluster.

    links, articles, visits and the changelog have the same number of partitions and the same key, so that one worker
    holds all there is about an article; that number is fixed for life.
    """

    def __init__(self, *, namespace: str = "flatline", partitions: int = 8) -> None:
        self.namespace = namespace

        def topic(
            name: str,
            key: str,
            cleanup_policy: Literal["compact", "delete"],
            *,
            partitions: int = partitions,
            retention_days: int | None = None,
            max_message_bytes: int = MESSAGE_BYTES_MAX,
        ) -> Topic:
            retention_ms = None if retention_days is None else retention_days * DAY_MS
            return Topic(f"{namespace}.{name}", key, partitions, cleanup_policy, retention_ms, max_message_bytes)

        self.links = topic("links.v1", "article key", "delete", retention_days=30)
        self.articles = topic("articles.v1", "article key", "compact")
        self.visits = topic("visits.v1", "article key", "delete", retention_days=30)
        self.heartbeats = topic("heartbeats.v1", "source", "compact", partitions=1)
        self.verdicts = topic("verdicts.v1", "article key", "compact")
        self.groups = topic("groups.v1", "kind/name", "compact")
        self.group_parts = topic(
            "group-parts.v1", "partition/kind/name, or the partition for its last round", "compact", partitions=1
        )
        # A dead letter is longer than its record: it says why.
        self.dead_letters = topic(
            "links.v1-dlq",
            "that of the record",
            "delete",
            partitions=1,
            retention_days=90,
            max_message_bytes=2 * MESSAGE_BYTES_MAX,
        )
        self.changelog = topic("state.v1-changelog", "article key, or that of one of its parts", "compact")

    def all(self) -> tuple[Topic, ...]:
        """Return every topic, in the order in which records flow through them."""
        return (
            self.links,
            self.articles,
            self.visits,
            self.heartbeats,
            self.verdicts,
            self.group_parts,
            self.groups,
            self.dead_letters,
            self.changelog,
        )
