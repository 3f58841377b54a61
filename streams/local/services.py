import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path

from flatline.kafka.permissions import Role
from flatline.local import probes
from flatline.local.ports import LOOPBACK
from flatline.local.processes import Process
from flatline.settings import Settings

SettingsOf = Callable[[Role], Settings]
"""The settings of a process by its role: as each has a user of its own in a secured Kafka."""

_FLATLINE = str(Path(sysconfig.get_path("scripts")) / "flatline")


def flatline_services(settings: SettingsOf, worker_ports: Sequence[int]) -> list[Process]:
    """Return the ingest, and a worker for each port, with the settings of their roles."""
    ingest, worker = settings(Role.INGEST), settings(Role.WORKER)
    return [
        _service("ingest", "ingest", ingest, ingest.ingest_port),
        *(
            _service(f"worker-{number}", "worker", worker.model_copy(update={"worker_port": port}), port)
            for number, port in enumerate(worker_ports, start=1)
        ),
    ]


def services_with_api(settings: SettingsOf, worker_ports: Sequence[int]) -> list[Process]:
    """Return `flatline_services`, the API, and the connectors if there is a file that names some."""
    reader, connect = settings(Role.READ_MODEL), settings(Role.CONNECT)
    services = [*flatline_services(settings, worker_ports), _service("api", "serve", reader, reader.serve_port)]
    if connect.connectors_file.exists():
        services.append(_service("connect", "connect run", connect, connect.connect_port))
    return services


def _service(name: str, command: str, settings: Settings, port: int) -> Process:
    address = f"{LOOPBACK}:{port}"
    return Process(
        name=name,
        command=[_FLATLINE, *command.split()],
        address=address,
        is_ready=lambda: probes.answers_ok(address, "/readyz"),
        environment=settings.environment(),
        discovery_url=f"http://{address}/discovery",
        # A worker reads the whole changelog before it is ready, and the API all topics.
        ready_within_s=120,
    )
