from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from flatline.admin.topics import TopicsError, ensure_topics
from flatline.generations import serving_topics
from flatline.kafka.permissions import Role
from flatline.local import probes
from flatline.local.alertmanager import Alertmanager
from flatline.local.errors import LaunchError
from flatline.local.kafka import Kafka
from flatline.local.kafka_nodes import kafka_nodes
from flatline.local.lock import sole_use_of
from flatline.local.pace import Pace
from flatline.local.ports import LOOPBACK, Ports
from flatline.local.processes import Process
from flatline.local.prometheus import Prometheus
from flatline.local.services import SettingsOf, flatline_services
from flatline.local.supervisor import Supervisor
from flatline.local.tokens import ensure_tokens_file
from flatline.settings import ENV_FILE, Settings

if TYPE_CHECKING:
    from flatline.local.secured_kafka import SecuredKafka

Services = Callable[[SettingsOf, Sequence[int]], Sequence[Process]]


class LocalStack:
    """The whole installation on this machine, from `with` to the end of its body.

    A Kafka of its own is part of it, unless the settings name one (`kafka_bootstrap` is set, not just defaulted).
    With ``secured`` that Kafka is a secured one, in which each role has its user, and ``settings`` are the operator's.
    With several ``brokers`` each topic has as many replicas, unless ``replication_factor`` is set.
    Everything lives in ``data_dir``; the next stack on the same folder goes on where this one ends. Entering returns
    when everything is ready, and raises LaunchError after having ended what was started. Within the body:

    ``settings``   what the services run with, which is in the folder's flatline.env, too
    ``addresses``  host:port of each process, by its name
    """

    settings: Settings
    addresses: Mapping[str, str]

    def __init__(
        self,
        data_dir: Path,
        settings: Settings,
        *,
        workers: int = 1,
        secured: bool = False,
        brokers: int = 1,
        services: Services = flatline_services,
        preferred_ports: Mapping[str, int] | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self._data_dir = data_dir.resolve()
        self._given = settings
        self._workers = workers
        self._secured: SecuredKafka | None = None
        self._is_to_be_secured = secured
        self._brokers = brokers
        self._services = services
        self._preferred_ports = preferred_ports
        self._say = say

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            opened.enter_context(sole_use_of(self._data_dir))
            env_file = self._data_dir / ENV_FILE
            env_file.unlink(missing_ok=True)
            self._supervisor = opened.enter_context(Supervisor(self._data_dir / "logs", self._say))
            self._start(Ports(self._data_dir / "ports.json", self._preferred_ports))
            opened.callback(env_file.unlink, missing_ok=True)
            env_file.write_text(self.settings.dotenv())
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def wait(self, timeout_s: float | None = None) -> None:
        """Block, at most ``timeout_s``, while all is well. Raises LaunchError when Kafka has ended."""
        self._supervisor.wait(timeout_s)

    def _start(self, ports: Ports) -> None:
        if self._given.scheme == "https":
            raise LaunchError(
                "FLATLINE_TLS_CERTIFICATE_FILE is set, and `flatline up` serves this machine alone, over HTTP.",
                remedy="Unset it and FLATLINE_TLS_KEY_FILE; `flatline ingest` and `flatline worker` speak TLS.",
            )
        worker_ports = [ports.claim(f"worker-{number}") for number in range(1, self._workers + 1)]
        alertmanager = Alertmanager(self._data_dir / "alertmanager", ports)
        prometheus = Prometheus(self._data_dir / "prometheus", ports)
        api_port = ports.claim("api")
        page_url = f"http://{LOOPBACK}:{api_port}"
        is_replicated = self._brokers > 1 and "replication_factor" not in self._given.model_fields_set
        settings = self._given.model_copy(
            update={
                **({"replication_factor": self._brokers} if is_replicated else {}),
                "data_dir": self._data_dir,
                "kafka_bootstrap": self._kafka(ports),
                "worker_port": worker_ports[0],
                "ingest_port": ports.claim("ingest"),
                "serve_port": api_port,
                "connect_port": ports.claim("connect"),
                "connectors_file": self._given.connectors_file.resolve(),
                "page_url": self._given.page_url if "page_url" in self._given.model_fields_set else page_url,
                "ingest_tokens_file": self._tokens_file(),
                "prometheus_url": f"http://{prometheus.address}",
                "alertmanager_url": f"http://{alertmanager.address}",
            }
        )

        def of(role: Role) -> Settings:
            return settings if self._secured is None else self._secured.as_role(settings, role)

        self.settings = of(Role.OPERATOR)
        if self._secured is not None:
            self._secured.allow(settings)
        self._ensure_topics()
        services = self._services(of, worker_ports)
        processes = [*services, *self._monitoring(services, prometheus, alertmanager)]
        self._supervisor.start(*processes)
        self.addresses = {"kafka": self.settings.kafka_bootstrap} | {
            process.name: process.address for process in processes
        }

    def _kafka(self, ports: Ports) -> str:
        if "kafka_bootstrap" in self._given.model_fields_set:
            if self._is_to_be_secured:
                raise LaunchError(
                    "--secured starts a Kafka of its own, and FLATLINE_KAFKA_BOOTSTRAP names another one.",
                    remedy="Unset FLATLINE_KAFKA_BOOTSTRAP, or leave --secured out.",
                )
            if self._brokers > 1:
                raise LaunchError(
                    "--brokers starts a Kafka of its own, and FLATLINE_KAFKA_BOOTSTRAP names another one.",
                    remedy="Unset FLATLINE_KAFKA_BOOTSTRAP, or leave --brokers out.",
                )
            bootstrap = self._given.kafka_bootstrap
            self._given.cluster.refuse_no_access()
            if not probes.is_kafka(self._given.cluster):
                raise LaunchError(
                    f"No Kafka answers at {bootstrap}.",
                    remedy="Correct FLATLINE_KAFKA_BOOTSTRAP, or unset it to have a Kafka started here.",
                )
            return bootstrap
        if self._given.kafka_security_protocol != "PLAINTEXT":
            raise LaunchError(
                "FLATLINE_KAFKA_SECURITY_PROTOCOL is set, and the Kafka that is started here speaks PLAINTEXT only. "
                "Unset it, or set FLATLINE_KAFKA_BOOTSTRAP to the Kafka that is meant."
            )
        if self._brokers > 1:
            # A folder of its own: the records of a single broker are not those of this cluster.
            nodes = kafka_nodes(self._data_dir / "kafka-cluster", ports, self._brokers)
            self._supervisor.start(*(node.process() for node in nodes))
            return ",".join(node.bootstrap for node in nodes)
        if self._is_to_be_secured:
            from flatline.local.secured_kafka import SecuredKafka  # noqa: PLC0415 - cryptography takes its time

            # A folder of its own: what is in the other one was never protected.
            self._secured = SecuredKafka(self._data_dir / "kafka-secured", ports)
        kafka = self._secured or Kafka(self._data_dir / "kafka", ports)
        self._supervisor.start(kafka.process())
        return kafka.bootstrap

    def _tokens_file(self) -> Path:
        if self._given.ingest_tokens_file:
            return self._given.ingest_tokens_file
        file = self._data_dir / "ingest-tokens"
        ensure_tokens_file(file)
        return file

    def _ensure_topics(self) -> None:
        settings = self.settings
        try:
            topics = serving_topics(settings, Role.OPERATOR).all()
            ensure_topics(settings.cluster, topics)
        except TopicsError as error:
            raise LaunchError(str(error), remedy=error.remedy) from error

    def _monitoring(
        self, services: Sequence[Process], prometheus: Prometheus, alertmanager: Alertmanager
    ) -> list[Process]:
        pace = Pace(self.settings.clock_speed)
        return [
            alertmanager.process(slack_webhook_url_file=self.settings.slack_webhook_url_file, pace=pace),
            prometheus.process(
                targets={"prometheus": [prometheus.address], "alertmanager": [alertmanager.address]},
                discovery_urls=[service.discovery_url for service in services if service.discovery_url],
                alertmanager=alertmanager.address,
                pace=pace,
                external_labels={"grafana_url": self.settings.grafana_url, "page_url": self.settings.page_url},
            ),
        ]
