import sysconfig
from collections.abc import Sequence
from pathlib import Path

from flatline.local import probes
from flatline.local.ports import LOOPBACK
from flatline.local.processes import Process
from flatline.settings import Settings

_FLATLINE = str(Path(sysconfig.get_path("scripts")) / "flatline")


def flatline_services(settings: Settings, worker_ports: Sequence[int]) -> list[Process]:
    """Return the ingest, and a worker for each port, all with these settings."""
    return [
        _service("ingest", "ingest", settings, settings.ingest_port),
        *(
            _service(f"worker-{number}", "worker", settings.model_copy(update={"worker_port": port}), port)
            for number, port in enumerate(worker_ports, start=1)
        ),
    ]


def services_with_api(settings: Settings, worker_ports: Sequence[int]) -> list[Process]:
    """Return `flatline_services`, and the API."""
    return [*flatline_services(settings, worker_ports), _service("api", "serve", settings, settings.serve_port)]


def _service(name: str, command: str, settings: Settings, port: int) -> Process:
    address = f"{LOOPBACK}:{port}"
    return Process(
        name=name,
        command=[_FLATLINE, command],
        address=address,
        is_ready=lambda: probes.answers_ok(address, "/readyz"),
        environment=settings.environment(),
        discovery_url=f"http://{address}/discovery",
        # A worker reads the whole changelog before it is ready, and the API all topics.
        ready_within_s=120,
    )
