"""A Kafka of a test's own, which can be killed, and reached through a proxy as well."""

from pathlib import Path
from typing import Any

from flatline.local.kafka import Kafka
from flatline.local.ports import LOOPBACK, Ports
from flatline.local.processes import Child
from tests.chaos.proxy import Proxy
from tests.waiting import until


class _ProxiedKafka(Kafka):
    """A Kafka with a second listener, whose clients are told to come to the proxy. It compacts all the time."""

    def __init__(self, folder: Path, ports: Ports, *, port: int, proxy_port: int) -> None:
        super().__init__(folder, ports)
        self._second = f"PROXIED://{LOOPBACK}:{port}"
        self._second_advertised = f"PROXIED://{LOOPBACK}:{proxy_port}"

    def _properties(self) -> dict[str, object]:
        properties: dict[str, Any] = super()._properties()
        protocols = properties["listener.security.protocol.map"]
        return {
            **properties,
            "listeners": f"{properties['listeners']},{self._second}",
            "advertised.listeners": f"BROKER://{self.bootstrap},{self._second_advertised}",
            "listener.security.protocol.map": f"{protocols},PROXIED:PLAINTEXT",
            "log.segment.bytes": 4 << 20,  # the largest dead letter must fit
            "log.index.size.max.bytes": 1 << 14,
            "log.segment.delete.delay.ms": 1_000,
            "log.cleaner.backoff.ms": 2_000,
            "log.cleaner.min.cleanable.ratio": 0.01,
        }


class Broker:
    """A Kafka process that a test starts and kills. Its records stay in ``folder``.

    ``bootstrap`` is its own address; ``proxied_bootstrap`` that of the ``proxy`` before it, which the test enters.
    """

    def __init__(self, folder: Path) -> None:
        ports = Ports(folder / "ports.json")
        port, proxy_port = ports.claim("behind-the-proxy"), ports.claim("proxy")
        self._folder = folder
        self._kafka = _ProxiedKafka(folder / "kafka", ports, port=port, proxy_port=proxy_port)
        self._child: Child | None = None
        self.bootstrap = self._kafka.bootstrap
        self.proxied_bootstrap = f"{LOOPBACK}:{proxy_port}"
        self.proxy = Proxy(proxy_port, port)

    def start(self) -> None:
        """Start it, or start it again, and wait until it serves."""
        if self._child is None:
            self._child = Child(self._kafka.process(), self._folder)
        else:
            self._child.start()
        until("Kafka serves", self._child.serves)

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._child
        return self._child.pid

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self._child is None or self._child.end() is not None

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._child:
            self._child.wait_ended(deadline_s=0)
