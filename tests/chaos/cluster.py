"""Three brokers of a test's own, each of which can be killed."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from kafka import KafkaAdminClient

from flatline.local.kafka_nodes import kafka_nodes
from flatline.local.ports import Ports
from flatline.local.processes import Child
from tests.waiting import until

NODES: Final = (1, 2, 3)
_STOPPED_WITHIN_S: Final = 120.0


class Cluster:
    """Three Kafka processes that a test starts and kills. Their records stay in ``folder``."""

    def __init__(self, folder: Path) -> None:
        ports = Ports(folder / "ports.json")
        self._folder = folder
        self._nodes = dict(zip(NODES, kafka_nodes(folder, ports, len(NODES)), strict=True))
        self._children: dict[int, Child] = {}
        self._alive: set[int] = set()
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

    def stop(self, number: int) -> None:
        """End a node with SIGTERM: it gives its partitions to the others first."""
        self._alive.discard(number)
        self._children[number].terminate()
        self._children[number].wait_ended(deadline_s=time.monotonic() + _STOPPED_WITHIN_S)

    @property
    def down(self) -> Sequence[int]:
        """The numbers of the nodes that do not run."""
        return [number for number in NODES if number not in self._alive]

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
