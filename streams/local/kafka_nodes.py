"""Several Kafka brokers on this machine that make one cluster: each record has a copy on each of them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from flatline.local.kafka import Kafka
from flatline.local.ports import LOOPBACK, Ports
from flatline.local.processes import Process

IN_SYNC_MIN: Final = 2
_HEAP_MB: Final = 320


class KafkaNode(Kafka):
    """One of them: broker and controller. It finds the others at their ``voters``, which all share."""

    def __init__(self, folder: Path, ports: Ports, number: int) -> None:
        super().__init__(folder, ports, name=f"kafka-{number}", heap_mb=_HEAP_MB)
        self._number = number
        self.voters: Sequence[str] = ()

    @property
    def voter(self) -> str:
        """How the others find its controller."""
        return f"{self._number}@{LOOPBACK}:{self._controller_port}"

    def process(self) -> Process:
        """As of any Kafka, but the others go on without it. Raises LaunchError."""
        return replace(super().process(), is_essential=False)

    def _properties(self) -> dict[str, object]:
        properties: dict[str, Any] = super()._properties()
        copies = {
            f"{topic}.replication.factor": len(self.voters)
            for topic in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
        }
        return {
            **properties,
            **copies,
            "node.id": self._number,
            "controller.quorum.voters": ",".join(self.voters),
            "transaction.state.log.min.isr": IN_SYNC_MIN,
            # A broker that was killed loses its partitions soon, and one that is only slow doesn't.
            "broker.heartbeat.interval.ms": 500,
            "broker.session.timeout.ms": 4_000,
            "controller.quorum.election.timeout.ms": 2_000,
            "controller.quorum.fetch.timeout.ms": 4_000,
        }


def kafka_nodes(folder: Path, ports: Ports, count: int) -> list[KafkaNode]:
    """Return the nodes of a cluster, numbered from 1. Their records stay in ``folder``, as do their ports."""
    nodes = [KafkaNode(folder / f"kafka-{number}", ports, number) for number in range(1, count + 1)]
    for node in nodes:
        node.voters = [each.voter for each in nodes]
        node.cluster_id = nodes[0].cluster_id
    return nodes
