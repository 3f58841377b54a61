"""Real processes in the place of the ingest and the workers, for tests of what surrounds them.

Run as a script with a folder it is a launcher: it holds a LocalStack there until it is told to stop.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from flatline.local import probes
from flatline.local.processes import Process
from flatline.local.stack import LocalStack
from flatline.local.stopping import until_stopped
from flatline.settings import Settings, load_settings


def stand_ins(folder: Path) -> Callable[[Settings, Sequence[int]], list[Process]]:
    """Return services that answer /readyz and /metrics from files in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "readyz").touch()
    (folder / "metrics").write_text("stand_in 1\n")

    def service(name: str, job: str, port: int) -> Process:
        address = f"127.0.0.1:{port}"
        server = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(folder), str(port)]
        return Process(name, server, address, is_ready=lambda: probes.answers_ok(address, "/readyz"), job=job)

    def services(settings: Settings, worker_ports: Sequence[int]) -> list[Process]:
        workers = [service(f"worker-{n}", "flatline-worker", port) for n, port in enumerate(worker_ports, start=1)]
        return [service("ingest", "flatline-ingest", settings.ingest_port), *workers]

    return services


if __name__ == "__main__":
    data_dir = Path(sys.argv[1])
    with until_stopped(), LocalStack(data_dir, load_settings(), services=stand_ins(data_dir / "www")) as stack:
        stack.wait()
