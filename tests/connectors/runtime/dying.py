"""Runs connectors in processes that are killed with SIGKILL at a step: `python dying.py CONNECTORS_FILE NAME...`.

For each NAME one process runs `flatline connect once NAME` and is killed at the first step, for the next one at the
second, and so on; then another one runs the same to its end. Prints how many steps a run has, as counted for the first
NAME, which is not killed. Processes are forked from one that has imported everything: else importing takes longest.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from flatline.cli import main
from flatline.connect import process, single  # noqa: F401 - imported before the processes are forked
from flatline.connect.saving import PartitionSaving
from flatline_connectors.folder.connector import Folder
from flatline_connectors.runtime.outbox import KafkaOutbox

STEPS = ((Folder, "poll"), (KafkaOutbox, "send"), (PartitionSaving, "save_position"), (PartitionSaving, "save_status"))


class Countdown:
    """Kills this process at its ``at``-th step: there is one before and one after each call of STEPS."""

    def __init__(self, at: int) -> None:
        self.number = 0
        self._at = at
        for owner, name in STEPS:
            setattr(owner, name, self._counted(getattr(owner, name)))

    def _step(self) -> None:
        self.number += 1
        if self.number == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _counted(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def counted(*arguments: Any, **named: Any) -> Any:
            self._step()
            result = await call(*arguments, **named)
            self._step()
            return result

        return counted


def once(connectors: str, name: str, *, killed_at: int = 0) -> tuple[int, int]:
    """Run a connector in a process of its own; return how that ended, and how many steps it counted."""
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        countdown = Countdown(killed_at)
        sys.argv = ["flatline", "connect", "once", name, "--connectors", connectors]
        code = 1
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            os.write(writable, str(countdown.number).encode())
            sys.stdout.flush()
            os._exit(code)
    os.close(writable)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(readable, "rb") as counted:
        return os.waitstatus_to_exitcode(status), int(counted.read() or 0)


if __name__ == "__main__":
    file, first, *names = sys.argv[1:]
    code, steps = once(file, first)
    assert code == 0
    for step, name in enumerate(names, start=1):
        code, _ = once(file, name, killed_at=step)
        assert code == (-signal.SIGKILL if step <= steps else 0), f"step {step} ended with {code}"
        assert once(file, name)[0] == 0
    Path(file).with_suffix(".steps").write_text(str(steps))
