"""Real workers as real processes, to be started, killed and asked."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from itertools import cycle
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import orjson

from flatline.core import Core
from flatline.local.ports import Ports
from tests.local.observing import stands_still
from tests.scripts import FLATLINE
from tests.waiting import PATIENCE_S, until


class Worker(NamedTuple):
    """A worker's process, and how it was started."""

    process: subprocess.Popen[bytes]
    program: Path | None
    environment: dict[str, str]


class End(NamedTuple):
    """A worker that ended by itself."""

    number: int
    exit_code: int


class Installation:
    """Workers on one namespace of a Kafka, and the commands that belong to it.

    Every second worker that is started reads links without the native core. So those that share partitions, and those
    that take over from each other, differ in that.

    ``ends``   the workers that ended by themselves while they were tended, in that order
    """

    def __init__(self, bootstrap: str, namespace: str, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._ports = Ports(folder / "ports.json")
        self._port_of: dict[int, int] = {}
        self._workers: dict[int, Worker] = {}
        self._settings = {
            "FLATLINE_KAFKA_BOOTSTRAP": bootstrap,
            "FLATLINE_NAMESPACE": namespace,
            "FLATLINE_DATA_DIR": str(folder),
            "FLATLINE_PARTITIONS": "4",
            **settings,
        }
        self.ends: list[End] = []
        self._cores = cycle((Core.AUTO, Core.PYTHON))

    def __enter__(self) -> Self:
        self.run("topics", "create")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill all workers."""
        for number in list(self._workers):
            self.kill(number)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which its processes run."""
        return {**os.environ, **self._settings}

    def run(self, *arguments: str, stdin: bytes | None = None, timeout_s: float = PATIENCE_S) -> str:
        """Run a `flatline` command to its end, and return what it printed."""
        done = subprocess.run(
            [FLATLINE, *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            check=False,
            timeout=timeout_s,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the workers that were started."""
        return tuple(self._workers)

    def home(self, number: int) -> Path:
        """Return the folder that is a worker's own: its working directory and its data folder."""
        return self._folder / f"worker-{number}"

    def start(self, number: int, program: Path | None = None, **environment: str) -> None:
        """Start a worker; the same number again is the same worker restarted. ``program`` runs in place of ours."""
        command = [FLATLINE, "worker"] if program is None else [sys.executable, str(program)]
        home = self.home(number)
        home.mkdir(exist_ok=True)
        own = {
            "FLATLINE_WORKER_PORT": str(self._port(number)),
            "FLATLINE_DATA_DIR": str(home),
            "TMPDIR": str(home),
            "FLATLINE_CORE": next(self._cores),
            **environment,
        }
        with home.with_suffix(".log").open("ab") as log:
            process = subprocess.Popen(command, env={**self.environment, **own}, cwd=home, stdout=log, stderr=log)
        self._workers[number] = Worker(process, program, environment)

    def send_signal(self, number: int, what: signal.Signals) -> None:
        """Send a worker a signal that does not end it."""
        self._workers[number].process.send_signal(what)

    def kill(self, number: int, how: signal.Signals = signal.SIGKILL) -> int:
        """Kill a worker, wait for its end and return its exit code."""
        self.send_signal(number, how)
        return self.wait_ended(number)

    def wait_ended(self, number: int) -> int:
        """Wait until a worker has ended by itself, and return its exit code."""
        exit_code = self._workers[number].process.wait(PATIENCE_S)
        del self._workers[number]
        return exit_code

    def tend(self, for_s: float) -> None:
        """Be their supervisor for a while: workers that end by themselves are started again, and noted in ``ends``."""
        until_s = time.monotonic() + for_s
        while (left_s := until_s - time.monotonic()) > 0:
            for number, worker in list(self._workers.items()):
                exit_code = worker.process.poll()
                if exit_code is not None:
                    self.ends.append(End(number, exit_code))
                    self.start(number, worker.program, **worker.environment)
            time.sleep(min(0.5, left_s))

    def restart(self) -> None:
        """Kill all workers, start them again as they were started before, and wait until they are ready."""
        workers = dict(self._workers)
        self.close()
        for number, worker in workers.items():
            self.start(number, worker.program, **worker.environment)
        self.wait_ready(*workers)

    def is_stopped(self, number: int) -> bool:
        """Whether a worker is paused by a signal."""
        return stands_still(self._workers[number].process.pid)

    def log(self, number: int) -> str:
        """Return all that a worker has logged."""
        return self.home(number).with_suffix(".log").read_text()

    def get(self, number: int, path: str) -> tuple[int, str]:
        """Ask a worker over HTTP; 0 when it does not answer."""
        try:
            with urllib.request.urlopen(f"http://{self.address(number)}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def core(self, number: int) -> str:
        """Return which core a worker reads links with."""
        [core] = re.findall(r'^flatline_core_info{core="(\w+)"} 1', self.get(number, "/metrics")[1], re.MULTILINE)
        return str(core)

    def address(self, number: int) -> str:
        """Return host:port of a worker's metrics and health."""
        return f"127.0.0.1:{self._port(number)}"

    def is_ready(self, number: int) -> bool:
        """Whether a worker has its partitions' state."""
        return self.get(number, "/readyz")[0] == 200

    def wait_ready(self, *numbers: int) -> None:
        """Wait until workers have their partitions' state."""
        for number in numbers:
            until(f"worker {number} is ready", lambda number=number: self.is_ready(number))  # type: ignore[misc]

    def articles(self, *, wait_s: float = PATIENCE_S) -> dict[str, dict[str, object]]:
        """Wait until the workers have caught up, and return `flatline articles list --json` by article."""
        said = self.run("articles", "list", "--json", "--wait", str(wait_s), timeout_s=wait_s + PATIENCE_S)
        return {row["article"]: row for row in map(orjson.loads, said.splitlines())}

    def _port(self, number: int) -> int:
        if number not in self._port_of:
            self._port_of[number] = self._ports.claim(f"worker-{number}")
        return self._port_of[number]
