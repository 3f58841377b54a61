"""Reads and removes the instances that Prometheus is told to scrape."""

from collections.abc import Iterable
from typing import Final

from flatline.discovery.instances import Instances
from flatline.readmodel.records import records
from flatline.schema.instance import Instance
from flatline.schema.rejection import Rejected
from flatline.settings import Settings

_TIMEOUT_S: Final = 30.0


def known_instances(settings: Settings) -> dict[str, Instance]:
    """Return the instances by name; records that can't be read are skipped. Raises KafkaError."""
    instances = Instances()
    for record in records(settings.cluster, settings.topics.instances):
        try:
            instances.receive(record.key or b"", record.value, record.timestamp)
        except Rejected:
            continue
    return instances.known()


def forget_instances(settings: Settings, names: Iterable[str]) -> None:
    """Write a tombstone for each of them. Raises KafkaError."""
    producer = settings.cluster.producer(acks="all", allow_auto_create_topics=False)
    try:
        for name in names:
            producer.send(settings.topics.instances.name, None, key=name.encode(), partition=0).get(_TIMEOUT_S)
    finally:
        producer.close()
