"""Three brokers of a test's own, each of which can be killed."""

from pathlib import Path
from typing import Any, Final

from kafka import KafkaAdminClient

from flatline.local.kafka import Kafka
from flatline.local.ports import LOOPBACK, Ports
from flatline.local.processes import Child
from tests.waiting import until

NODES: Final = (1, 2, 3)
_HEAP_MB: Final = 320


class _Node(Kafka):
    """One of the three: broker and controller. It finds the others on the ports that they claimed."""

    def __init__(self, folder: Path, ports: Ports, number: int) -> None:
        super().__init__(folder, ports, name=f"kafka-{number}", heap_mb=_HEAP_MB)
        self._number = number
        self.voters = ""

    @property
    def voter(self) -> str:
        """How the others find its controller."""
        return f"{self._number}@{LOOPBACK}:{self._controller_port}"

    def _properties(self) -> dict[str, object]:
        properties: dict[str, Any] = super()._properties()
        three_copies = {
            f"{topic}.replication.factor": len(NODES)
            for topic in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
        }
        return {
            **properties,
            **three_copies,
            "node.id": self._number,
            "controller.quorum.voters": self.voters,
            "transaction.state.log.min.isr": 2,
            # A broker that was killed loses its partitions soon, and one that is only slow doesn't.
            "broker.heartbeat.interval.ms": 500,
            "broker.session.timeout.ms": 4_000,
            "controller.quorum.election.timeout.ms": 2_000,
            "controller.quorum.fetch.timeout.ms": 4_000,
        }


class Cluster:
    """Three Kafka processes that a test starts and kills. Their records stay in ``folder``."""

    def __init__(self, folder: Path) -> None:
        ports = Ports(folder / "ports.json")
        self._folder = folder
        self._nodes = {number: _Node(folder / f"kafka-{number}", ports, number) for number in NODES}
        self._children: dict[int, Child] = {}
        self._alive: set[int] = set()
        first = self._nodes[NODES[0]]
        for node in self._nodes.values():
            node.voters = ",".join(each.voter for each in self._nodes.values())
            node.cluster_id = first.cluster_id
        self.bootstrap = ",".join(node.bootstrap for node in self._nodes.values())

    def start(self, *numbers: int) -> None:
        """Start nodes, or start them again, and wait until they serve."""
        for number in numbers:
            if number in self._children:
                self._children[number].start()
            else:
                self._children[number] = Child(self._nodes[number].process(), self._folder)
        for number in numbers:
            until(f"node {number} serves", self._children[number].serves)
        self._alive |= set(numbers)

    def kill(self, *numbers: int) -> None:
        """End nodes with SIGKILL."""
        for number in numbers:
            if number in self._children:
                self._children[number].wait_ended(deadline_s=0)
        self._alive -= set(numbers)

    def leader(self, topic: str, partition: int = 0) -> int:
        """Return the number of the node that leads a partition."""
        return int(self._partitions(topic)[partition]["leader_id"])

    def wait_whole(self) -> None:
        """Wait until every node has all that is acknowledged: until then another one must not be killed."""
        until("all replicas are in sync", self._is_whole)

    def _is_whole(self) -> bool:
        with self._admin() as admin:
            found = [partition for topic in admin.describe_topics() for partition in topic["partitions"]]
            return all(
                len(partition["isr_nodes"]) == len(partition["replica_nodes"]) and not partition["offline_replicas"]
                for partition in found
            )

    def _partitions(self, topic: str) -> dict[int, dict[str, Any]]:
        with self._admin() as admin:
            [found] = admin.describe_topics([topic])
            return {partition["partition_index"]: partition for partition in found["partitions"]}

    def _admin(self) -> KafkaAdminClient:
        return KafkaAdminClient(bootstrap_servers=[self._nodes[number].bootstrap for number in self._alive])
