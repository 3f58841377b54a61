"""Topics as data, declared once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flatline.schema.connector_record import CONNECTOR_PARTITIONS
from flatline.schema.generation import Layout

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
FOR_EVER = -1  # Kafka's word for no limit
MESSAGE_BYTES_MAX = 1_048_588  # Kafka's own default, stated as that of the dead letters depends on it
DEAD_LETTER_BYTES_MAX = 2 * MESSAGE_BYTES_MAX  # a dead letter is longer than its record: it says why


@dataclass(frozen=True)
class Topic:
    """One topic: its name, what its key is, and how the broker keeps it. Without a retention it is kept for ever."""

    name: str
    key: str
    partitions: int
    cleanup_policy: Literal["compact", "delete"]
    retention_ms: int | None = None
    max_message_bytes: int = MESSAGE_BYTES_MAX
    compression: Literal["zstd", "producer"] = "producer"
    replication_factor: int = 1
    segment_ms: int | None = None

    def config(self) -> Mapping[str, str]:
        """Return the topic's settings in the broker's own words.

        What is Kafka's own default stands here where a record would be lost, or judged wrongly, without it.
        """
        retention = {}
        if self.cleanup_policy == "delete":
            retention_ms = FOR_EVER if self.retention_ms is None else self.retention_ms
            retention = {"retention.ms": str(retention_ms), "retention.bytes": str(FOR_EVER)}
        segment = {} if self.segment_ms is None else {"segment.ms": str(self.segment_ms)}
        return {
            "cleanup.policy": self.cleanup_policy,
            "compression.type": self.compression,
            "max.message.bytes": str(self.max_message_bytes),
            # What is acknowledged has a second copy, and a copy that lacks it never becomes the leader.
            "min.insync.replicas": str(min(2, self.replication_factor)),
            "unclean.leader.election.enable": "false",
            # Records carry the producer's time, which bounds that of their events.
            "message.timestamp.type": "CreateTime",
            "message.timestamp.after.max.ms": str(HOUR_MS),
            **retention,
            **segment,
        }


class Topics:
    """All topics of one installation. ``namespace`` lets several share a cluster.

    The inputs and the changelog have the same number of partitions and the same key, so that one worker holds all there
    is about an article; copies of what is known of a former address lie where its article is now. Links and visits are
    the record of all there is to know: they are kept ``retention_days``, or for ever, and compressed by the broker,
    whatever their producer does.

    ``layout`` numbers the topics that are keyed by article: each number of partitions has topics of its own. ``state``
    numbers the changelog and the copies that are made from them, and the consumer ``group`` that makes it.
    """

    def __init__(
        self,
        *,
        namespace: str = "flatline",
        partitions: int = 8,
        replication_factor: int = 1,
        retention_days: int | None = None,
        layout: int = 1,
        state: int = 1,
    ) -> None:
        self.namespace = namespace
        self.layout = Layout(layout, partitions)
        self.state = state
        # The first ones have the names that the contract tells everybody.
        of_layout = "" if layout == 1 else f".r{layout}"
        of_state = "" if state == 1 else f".g{state}"
        self.group = f"{namespace}{of_state}"

        def topic(
            name: str,
            key: str,
            cleanup_policy: Literal["compact", "delete"],
            *,
            retention_days: int | None = None,
            max_message_bytes: int = MESSAGE_BYTES_MAX,
            compression: Literal["zstd", "producer"] = "producer",
            partitions: int = 1,
            segment_ms: int | None = None,
        ) -> Topic:
            return Topic(
                f"{namespace}.{name}",
                key,
                partitions,
                cleanup_policy,
                retention_ms=None if retention_days is None else retention_days * DAY_MS,
                max_message_bytes=max_message_bytes,
                compression=compression,
                replication_factor=replication_factor,
                segment_ms=segment_ms,
            )

        def keyed(name: str, key: str = "article key", **how: Any) -> Topic:
            return topic(f"{name}{of_layout}", key, "compact", partitions=partitions, **how)

        def log(name: str) -> Topic:
            how: dict[str, Any] = {"retention_days": retention_days, "compression": "zstd"}
            return topic(f"{name}{of_layout}", "article key", "delete", partitions=partitions, **how)

        self.links = log("links.v1")
        self.articles = keyed("articles.v1", compression="zstd")
        self.visits = log("visits.v1")
        self.removals = keyed("removals.v1", compression="zstd")
        self.moves = topic("moves.v1", "old and new address", "compact")
        self.sites = topic("sites.v1", "domain", "compact")
        self.alert_marks = topic("alert-marks.v1", "alert id", "compact")
        self.snoozes = topic("snoozes.v1", "snooze id", "compact")
        self.annotations = topic("annotations.v1", "annotation id", "compact")
        self.copies = topic(
            f"article-copies.v1{of_layout}{of_state}",
            "former article key, or that of one of its parts",
            "compact",
            partitions=partitions,
        )
        self.heartbeats = topic("heartbeats.v1", "source", "compact", compression="zstd")
        self.verdicts = keyed("verdicts.v1")
        self.groups = keyed("groups.v1", "kind/name")
        self.group_parts = topic(
            f"group-parts.v1{of_layout}", "partition/kind/name, or the partition for its last round", "compact"
        )
        # Neither belongs to a layout or a state: what was recognised stays so when either is made anew.
        self.import_parts = topic("import-parts.v1", "source and instant", "delete", retention_days=7)
        self.imports = topic("imports.v1", "source and instant, or the source that labels its imports", "compact")
        self.dead_letters = topic(
            "links.v1-dlq",
            "that of the record",
            "delete",
            retention_days=90,
            max_message_bytes=DEAD_LETTER_BYTES_MAX,
            compression="zstd",
        )
        self.changelog = topic(
            f"state.v1-changelog{of_state}",
            "article key, or that of one of its parts",
            "compact",
            partitions=partitions,
        )
        self.generations = topic("generations.v1", "serving, building or erasing", "compact")
        # Written all the time and read whole at each start: compaction spares what is being written to.
        self.instances = topic("instances.v1", "role/machine/address", "compact", segment_ms=HOUR_MS)
        self.connectors = topic(
            "connectors.v1", "position/connector or status/connector", "compact", partitions=CONNECTOR_PARTITIONS
        )
        self.connect_group = f"{namespace}.connect"

    @property
    def inputs(self) -> tuple[Topic, ...]:
        """What the workers share by partitions and apply to articles."""
        return (self.links, self.articles, self.visits, self.removals, self.copies)

    def all(self) -> tuple[Topic, ...]:
        """Return every topic, in the order in which records flow through them."""
        return (
            self.links,
            self.articles,
            self.visits,
            self.removals,
            self.moves,
            self.sites,
            self.alert_marks,
            self.snoozes,
            self.annotations,
            self.copies,
            self.heartbeats,
            self.verdicts,
            self.group_parts,
            self.groups,
            self.import_parts,
            self.imports,
            self.dead_letters,
            self.changelog,
            self.generations,
            self.instances,
            self.connectors,
        )
