from itertools import islice
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer

from flatline.admin.topics import ensure_topics
from flatline.kafka.cluster import KafkaCluster
from flatline.local.kafka import Kafka
from flatline.local.ports import Ports
from flatline.local.supervisor import Supervisor
from flatline.schema.topics import Topics

pytestmark = pytest.mark.servers


def first_records(count: int, bootstrap: str, topic: str) -> list[bytes]:
    """Return the values of so many records of the topic, or of fewer when no more come."""
    consumer = KafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None, consumer_timeout_ms=10_000
    )
    with consumer:
        return [record.value for record in islice(consumer, count)]


def test_records_outlive_the_server(tmp_path: Path) -> None:
    """A second Kafka on the same folder has the same address, the same topics and every acknowledged record."""
    topics = Topics(partitions=2)
    bootstraps = []
    for value in (b"first", b"second"):
        with Supervisor(tmp_path / "logs", say=print) as supervisor:
            kafka = Kafka(tmp_path / "kafka", Ports(tmp_path / "ports.json"))
            supervisor.start(kafka.process())
            bootstraps.append(kafka.bootstrap)
            created = ensure_topics(KafkaCluster(kafka.bootstrap), topics.all())
            assert len(created) == (len(topics.all()) if value == b"first" else 0)
            with KafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all") as producer:
                producer.send(topics.links.name, value).get(10)
            if value == b"second":
                assert sorted(first_records(2, kafka.bootstrap, topics.links.name)) == [b"first", b"second"]
    assert bootstraps[0] == bootstraps[1]
