"""Real workers as real processes, to be started, killed and asked."""

import os
import signal
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from deploy.local.ports import Ports

FLATLINE = str(Path(sysconfig.get_path("scripts")) / "flatline")
PATIENCE_S = 90.0


def until(what: str, holds: Callable[[], bool], *, timeout_s: float = PATIENCE_S) -> None:
    """Wait until something holds; fail, saying what, when it doesn't in time."""
    give_up_at = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < give_up_at, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.2)


class Installation:
    """Workers on one namespace of a Kafka, and the commands that belong to it."""

    def __init__(self, bootstrap: str, namespace: str, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._ports = Ports(folder / "ports.json")
        self._port_of: dict[int, int] = {}
        self._workers: dict[int, subprocess.Popen[bytes]] = {}
        self._settings = {
            "FLATLINE_KAFKA_BOOTSTRAP": bootstrap,
            "FLATLINE_NAMESPACE": namespace,
            "FLATLINE_DATA_DIR": str(folder),
            "FLATLINE_PARTITIONS": "4",
            **settings,
        }

    def __enter__(self) -> Self:
        self.run("topics")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in list(self._workers):
            self.kill(number)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which its processes run."""
        return {**os.environ, **self._settings}

    def run(self, *arguments: str, stdin: bytes | None = None) -> str:
        """Run a `flatline` command to its end, and return what it printed."""
        done = subprocess.run(
            [FLATLINE, *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def start(self, number: int, *, slowly: bool = False) -> None:
        """Start a worker; the same number again is the same worker restarted. One may be slow to recover."""
        command = [sys.executable, str(Path(__file__).with_name("slow_worker.py"))] if slowly else [FLATLINE, "worker"]
        port = str(self._port(number))
        with (self._folder / f"worker-{number}.log").open("ab") as log:
            self._workers[number] = subprocess.Popen(
                command, env={**self.environment, "FLATLINE_WORKER_PORT": port}, stdout=log, stderr=log
            )

    def kill(self, number: int, how: signal.Signals = signal.SIGKILL) -> int:
        """Kill a worker, wait for its end and return its exit code."""
        worker = self._workers.pop(number)
        worker.send_signal(how)
        return worker.wait(PATIENCE_S)

    def wait_ended(self, number: int) -> int:
        """Wait until a worker has ended by itself, and return its exit code."""
        return self._workers.pop(number).wait(PATIENCE_S)

    def log(self, number: int) -> str:
        """Return all that a worker has logged."""
        return (self._folder / f"worker-{number}.log").read_text()

    def get(self, number: int, path: str) -> tuple[int, str]:
        """Ask a worker over HTTP; 0 when it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port(number)}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait_ready(self, number: int) -> None:
        """Wait until a worker has its partitions' state."""
        until(f"worker {number} is ready", lambda: self.get(number, "/readyz")[0] == 200)

    def articles(self, *, wait_s: float = PATIENCE_S) -> dict[str, dict[str, object]]:
        """Wait until the workers have caught up, and return `flatline articles --json` by article."""
        rows = map(orjson.loads, self.run("articles", "--json", "--wait", str(wait_s)).splitlines())
        return {row["article"]: row for row in rows}

    def _port(self, number: int) -> int:
        if number not in self._port_of:
            self._port_of[number] = self._ports.claim(f"worker-{number}")
        return self._port_of[number]


@contextmanager
def importing(installation: Installation, path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `flatline import` in the background; at the end of the block it has ended well."""
    with subprocess.Popen(
        [FLATLINE, "import", "--json", str(path)], env=installation.environment, stdout=subprocess.PIPE
    ) as process:
        yield process
        process.wait(PATIENCE_S)
        assert process.returncode == 0
