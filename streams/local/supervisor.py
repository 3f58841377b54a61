import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from flatline.local.errors import LaunchError
from flatline.local.processes import Child, Process

_ASK_EVERY_S = 0.05
_LOOK_EVERY_S = 0.2
_GRACE_S = 30
_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 15.0
_HEALTHY_AFTER_S = 60


class Supervisor:
    """Starts processes, restarts those that die, and ends all of them, the last started first.

    Each of these events is reported in one line through ``say``. What has not ended ``grace_s`` after SIGTERM is
    killed.
    """

    def __init__(self, log_dir: Path, say: Callable[[str], None], *, grace_s: float = _GRACE_S) -> None:
        self._log_dir = log_dir
        self._say = say
        self._grace_s = grace_s
        self._batches: list[list[Child]] = []
        self._watches: list[_Watch] = []
        self._failure: LaunchError | None = None
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._watcher.start()

    def start(self, *processes: Process) -> None:
        """Start these together and wait until all are ready. Raises LaunchError; what was started then still runs."""
        batch: list[Child] = []
        self._batches.append(batch)
        batch.extend(Child(process, self._log_dir) for process in processes)
        for child in batch:
            while not child.serves():
                self.wait(_ASK_EVERY_S)
            self._watches.append(_Watch(child, self._say))
            self._say(f"{child.process.name} is ready at {child.process.address}")

    def wait(self, timeout_s: float | None = None) -> None:
        """Block, at most ``timeout_s``, while all is well. Raises LaunchError when an essential process has ended."""
        self._over.wait(timeout_s)
        if self._failure:
            raise self._failure

    def stop(self) -> None:
        """End everything: processes that were started together are ended together."""
        self._over.set()
        self._watcher.join()
        for batch in reversed(self._batches):
            for child in batch:
                child.terminate()
            deadline_s = time.monotonic() + self._grace_s
            for child in batch:
                child.wait_ended(deadline_s)
        self._batches.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_EVERY_S):
            for watch in list(self._watches):
                try:
                    watch.look(time.monotonic())
                except LaunchError as failure:
                    self._failure = failure
                    self._over.set()


class _Watch:
    """Keeps one child running: after each end that follows soon on its start it waits twice as long, up to a limit."""

    def __init__(self, child: Child, say: Callable[[str], None]) -> None:
        self._child = child
        self._say = say
        self._delay_s = _FIRST_DELAY_S
        self._due_s: float | None = None

    def look(self, now_s: float) -> None:
        """Start the child again if it has ended and its time has come. Raises LaunchError if it was essential."""
        child = self._child
        end = child.end()
        if end is None:
            return
        name = child.process.name
        if child.process.is_essential:
            raise LaunchError(f"{name} {end}, and nothing works without it.{child.last_lines()}")
        if self._due_s is None:
            if now_s - child.started_s > _HEALTHY_AFTER_S:
                self._delay_s = _FIRST_DELAY_S
            self._due_s = now_s + self._delay_s
            self._say(f"{name} {end}; it is started again in {self._delay_s:g} s. Its log: {child.log}")
            self._delay_s = min(2 * self._delay_s, _LONGEST_DELAY_S)
        elif now_s >= self._due_s:
            self._due_s = None
            child.start()
