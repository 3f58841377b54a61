import base64
import subprocess
import uuid
from collections.abc import Iterable
from pathlib import Path

from flatline.kafka.cluster import KafkaCluster
from flatline.local import probes, programs
from flatline.local.errors import LaunchError
from flatline.local.ports import LOOPBACK, Ports
from flatline.local.processes import Process
from flatline_deploy import DEPLOY

_LOGGING = DEPLOY / "kafka" / "log4j2.properties"


class Kafka:
    """One node of Apache Kafka (KRaft, broker and controller in one process) on this machine, for this machine.

    Its records outlive it in ``folder``: the next one goes on where the last one ended.
    """

    def __init__(self, folder: Path, ports: Ports, *, name: str = "kafka", heap_mb: int = 768) -> None:
        self._folder = folder
        self._name = name
        self._heap_mb = heap_mb
        self._port = ports.claim(name)
        self._controller_port = ports.claim(f"{name}-controller")
        self.cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")
        self.bootstrap = f"{LOOPBACK}:{self._port}"

    def process(self) -> Process:
        """Write its properties, format its storage if this is the first time, and say how to run it.

        Raises LaunchError.
        """
        properties = self._folder / "server.properties"
        self._folder.mkdir(parents=True, exist_ok=True)
        properties.write_text("".join(f"{name}={value}\n" for name, value in self._properties().items()))
        if not (self._storage / "meta.properties").exists():
            self._format(properties)
        return Process(
            name=self._name,
            command=[*_jvm(heap_mb=self._heap_mb), "kafka.Kafka", str(properties)],
            address=self.bootstrap,
            is_ready=lambda: probes.is_kafka(KafkaCluster(self.bootstrap)),
            is_essential=True,
        )

    @property
    def _storage(self) -> Path:
        return self._folder / "storage"

    def _properties(self) -> dict[str, object]:
        one_copy = {
            f"{topic}.{setting}": 1
            for topic in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
            for setting in ("replication.factor", "num.partitions", "min.isr")
            if (topic, setting) != ("offsets.topic", "min.isr")
        }
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{LOOPBACK}:{self._controller_port}",
            "listeners": f"BROKER://{self.bootstrap},CONTROLLER://{LOOPBACK}:{self._controller_port}",
            "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "BROKER",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self._storage.resolve(),
            "auto.create.topics.enable": "false",
            # There is no second copy of anything to wait for, and no second member of a group worth waiting for.
            **one_copy,
            "group.initial.rebalance.delay.ms": 0,
            # Two cores and a small heap: the defaults are meant for a machine of its own.
            "num.network.threads": 2,
            "num.io.threads": 4,
            "background.threads": 2,
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        }

    def _format(self, properties: Path) -> None:
        format_it = ["kafka.tools.StorageTool", "format", "-t", self.cluster_id, "-c", str(properties)]
        command = [*_jvm(heap_mb=128), *format_it, *self._format_options()]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own arguments
        if done.returncode:
            raise LaunchError(f"Kafka's storage in {self._storage} could not be prepared:\n{done.stdout}{done.stderr}")

    def _format_options(self) -> Iterable[str]:
        """Return what else the storage is to begin with."""
        return ()


def _jvm(*, heap_mb: int) -> list[str]:
    archive = [f"-XX:SharedArchiveFile={programs.KAFKA_CLASSES}"] if programs.KAFKA_CLASSES.exists() else []
    return [
        programs.java(),
        *archive,
        f"-Xmx{heap_mb}m",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={_LOGGING}",
        "-cp",
        programs.kafka_classpath(),
    ]
