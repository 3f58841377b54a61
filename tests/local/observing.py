"""What the kernel knows about processes: the tests ask it, not the code under test."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import until


def children_of(pid: int) -> dict[int, str]:
    """Return the command line of each child of a process, by pid."""
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # pid (name, which may hold anything) state parent ...
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if parent == pid:
                command = (stat.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                children[int(stat.parent.name)] = command
        except (FileNotFoundError, ProcessLookupError):
            continue
    return children


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits for its parent to notice doesn't."""
    try:
        return _state(Path(f"/proc/{pid}/stat")) not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def standing_still(pid: int) -> Iterator[None]:
    """Stop a process for the block, which begins when none of its threads runs any more."""
    os.kill(pid, signal.SIGSTOP)
    try:
        until(f"process {pid} stands still", lambda: stands_still(pid))
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def stands_still(pid: int) -> bool:
    """Whether a signal has stopped all threads of a process."""
    try:
        return all(_state(stat) == "T" for stat in Path(f"/proc/{pid}/task").glob("*/stat"))
    except (FileNotFoundError, ProcessLookupError):  # a thread has ended just now
        return False


def _state(stat: Path) -> str:
    return stat.read_text().rpartition(")")[2].split()[0]
