"""What is saved of each connector, as its topic has it."""

import logging
from collections import defaultdict
from typing import Final

from flatline.kafka.cluster import KafkaCluster
from flatline.kafka.permitted import is_there
from flatline.readmodel.records import records
from flatline.schema import codec
from flatline.schema.connector_record import (
    CONNECTOR_PARTITIONS,
    ConnectorPosition,
    ConnectorStatus,
    parsed_key,
    position_key,
)
from flatline.schema.partitioning import partition_of
from flatline.schema.rejection import Rejected
from flatline.schema.topics import Topics
from flatline_connectors.runtime.position_parts import joined
from flatline_connectors.sending.producer import KafkaUnavailable

POSITION: Final = "position"
STATUS: Final = "status"

_TIMEOUT_S: Final = 30.0

log = logging.getLogger("flatline.connect")


def partition_of_connector(name: str) -> int:
    """Return the partition that has all records of a connector."""
    return partition_of(name.encode(), CONNECTOR_PARTITIONS)


class SavedRecords:
    """Positions and statuses by the connectors' names.

    ``positions``  without their parts
    ``parts``      all that are in Kafka, by their keys there; those of a position that was deleted say nothing
    """

    def __init__(self) -> None:
        self.positions: dict[str, ConnectorPosition] = {}
        self.parts: defaultdict[str, dict[str, ConnectorPosition]] = defaultdict(dict)
        self.statuses: dict[str, ConnectorStatus] = {}

    def receive(self, key: bytes, value: bytes | None) -> None:
        """Take a record of the topic, or a tombstone. What can't be read is logged, and left out."""
        kind, name, part = parsed_key(key)
        try:
            if kind == POSITION:
                known, at = (self.parts[name], part) if part else (self.positions, name)
                known.pop(at, None)
                if value is not None:
                    known[at] = codec.connector_positions.decode(value)
            elif kind == STATUS:
                self.statuses.pop(name, None)
                if value is not None:
                    self.statuses[name] = codec.connector_statuses.decode(value)
        except Rejected as rejected:
            log.warning("the %s of the connector %s can't be read: %s", kind, name, rejected)

    def position(self, name: str) -> ConnectorPosition | None:
        """Return the whole position of a connector."""
        position = self.positions.get(name)
        return None if position is None else joined(position, self.parts[name].values())


def saved_records(cluster: KafkaCluster, topics: Topics) -> SavedRecords:
    """Read the topic to where it ends now. Raises KafkaError."""
    saved = SavedRecords()
    for record in records(cluster, topics.connectors):
        saved.receive(record.key or b"", record.value)
    return saved


def refuse_without_topic(cluster: KafkaCluster, topics: Topics) -> None:
    """Raise `KafkaUnavailable` where the topic does not exist: it is younger than the others. Raises KafkaError."""
    if not is_there(cluster, topics.connectors):
        raise KafkaUnavailable(
            f"Kafka has no topic {topics.connectors.name}.", remedy="`flatline topics create` creates what is missing."
        )


def delete_position(cluster: KafkaCluster, topics: Topics, name: str) -> None:
    """Write a tombstone for the position of a connector. Raises KafkaError."""
    producer = cluster.producer(acks="all", allow_auto_create_topics=False)
    try:
        partition = partition_of_connector(name)
        producer.send(topics.connectors.name, None, key=position_key(name), partition=partition).get(_TIMEOUT_S)
    finally:
        producer.close()
