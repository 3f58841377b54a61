import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from flatline.local.errors import LaunchError

_DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
# The kernel takes the thread that starts a child for its parent. This one lives exactly as long as this process.
_SPAWNER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")
_LOG_BYTES_MAX = 16_000_000
_LINES_SHOWN = 15


@dataclass(frozen=True)
class Process:
    """A server to run: how to start it, where it listens, and how one sees that it serves."""

    name: str
    command: Sequence[str]
    address: str
    is_ready: Callable[[], bool]
    # On top of this process' own environment.
    environment: Mapping[str, str] = field(default_factory=dict)
    # The URL at which it tells Prometheus what to scrape.
    discovery_url: str | None = None
    # The end of an essential one is the end of the installation. The others are started again.
    is_essential: bool = False
    ready_within_s: float = 60


class Child:
    """A process that runs in a session of its own, and dies with this one, even if that is killed with SIGKILL."""

    def __init__(self, process: Process, log_dir: Path) -> None:
        self.process = process
        self.log = log_dir / f"{process.name}.log"
        self.start()

    def start(self) -> None:
        """Start it, or start it again."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        self.started_s = time.monotonic()
        self._popen = _SPAWNER.submit(self._spawn).result()

    def _spawn(self) -> subprocess.Popen[bytes]:
        wrapper = [sys.executable, "-I", "-S", str(_DIE_WITH_PARENT), str(os.getpid())]
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own list of arguments
                [*wrapper, *self.process.command],
                env={**os.environ, **self.process.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, which stays the same over the wrapper's exec."""
        return self._popen.pid

    def end(self) -> str | None:
        """Say how it ended, or None while it runs."""
        code = self._popen.poll()
        if code is None:
            return None
        return f"ended with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"

    def serves(self) -> bool:
        """Whether it is ready by now. Raises LaunchError with the end of its log if it has ended or takes too long."""
        # First of all whether it runs: were its port somebody else's by now, that one's answer would be no proof.
        if end := self.end():
            raise LaunchError(f"{self.process.name} {end} before it was ready.{self.last_lines()}")
        if self.process.is_ready():
            return True
        if time.monotonic() > self.started_s + self.process.ready_within_s:
            limit = f"{self.process.ready_within_s:g} s"
            raise LaunchError(f"{self.process.name} was not ready within {limit}.{self.last_lines()}")
        return False

    def last_lines(self) -> str:
        """Return the end of what it has logged since it was started, and where the rest is."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").splitlines()[-_LINES_SHOWN:]
        return "\n".join(["", *(f"  {line}" for line in lines), f"Its whole log: {self.log}"])

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def wait_ended(self, deadline_s: float) -> None:
        """Wait until it has ended; at ``deadline_s`` of the monotonic clock it is killed."""
        try:
            self._popen.wait(max(0, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._popen.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._popen.poll() is None:
            os.killpg(self.pid, number)
