"""Real processes in the place of the ingest and the workers, for tests of what surrounds them.

Run as a script with a folder it is a launcher: it holds a LocalStack there until it is told to stop.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from flatline.kafka.permissions import Role
from flatline.local import probes
from flatline.local.processes import Process
from flatline.local.services import SettingsOf
from flatline.local.stack import LocalStack
from flatline.local.stopping import until_stopped
from flatline.settings import load_settings


def stand_ins(folder: Path) -> Callable[[SettingsOf, Sequence[int]], list[Process]]:
    """Return services that answer /readyz, /metrics and what Prometheus asks for from files in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "readyz").touch()
    (folder / "metrics").write_text("stand_in 1\n")

    def service(name: str, job: str, port: int) -> Process:
        address = f"127.0.0.1:{port}"
        server = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(folder), str(port)]
        # A file is served as JSON only if it is called so.
        (folder / f"{name}.json").write_text(json.dumps([{"targets": [address], "labels": {"job": job}}]))
        discovery_url = f"http://{address}/{name}.json"
        return Process(
            name, server, address, lambda: probes.answers_ok(address, "/readyz"), discovery_url=discovery_url
        )

    def services(settings: SettingsOf, worker_ports: Sequence[int]) -> list[Process]:
        workers = [service(f"worker-{n}", "flatline-worker", port) for n, port in enumerate(worker_ports, start=1)]
        return [service("ingest", "flatline-ingest", settings(Role.INGEST).ingest_port), *workers]

    return services


if __name__ == "__main__":
    data_dir = Path(sys.argv[1])
    with until_stopped(), LocalStack(data_dir, load_settings(), services=stand_ins(data_dir / "www")) as stack:
        stack.wait()
