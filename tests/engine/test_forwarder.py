"""What belongs on other partitions, when the broker is away just then."""

import pytest
from aiokafka.errors import KafkaConnectionError

from flatline.engine import kafka_log
from flatline.engine.kafka_log import KafkaForwarder
from flatline.engine.log import Outgoing
from flatline.kafka import cluster
from flatline.kafka.cluster import KafkaCluster


class StandInProducer:
    """A producer whose broker is away for the first two that are started."""

    started = 0
    stopped = 0

    def __init__(self, **_settings: object) -> None:
        """Take any settings."""

    async def start(self) -> None:
        """Connect, or not."""
        StandInProducer.started += 1
        if StandInProducer.started <= 2:
            raise KafkaConnectionError("away")

    async def stop(self) -> None:
        """Note it."""
        StandInProducer.stopped += 1


async def test_a_broker_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by every client that was connected before; nothing of what failed is left, and the one that works is kept."""
    written: list[object] = []

    async def write(producer: object, records: object, **_: object) -> None:
        written.append((producer, records))

    monkeypatch.setattr(cluster, "AIOKafkaProducer", StandInProducer)
    monkeypatch.setattr(kafka_log, "write", write)
    monkeypatch.setattr(kafka_log, "RETRY_S", 0.0)
    forwarder, records = KafkaForwarder(KafkaCluster("")), [Outgoing("links", 1, b"k", b"v")]
    await forwarder.forward(records)
    await forwarder.forward(records)
    assert (StandInProducer.started, StandInProducer.stopped) == (3, 2)
    assert [each for _, each in written] == [records, records]
    await forwarder.close()
    assert StandInProducer.stopped == 3
