"""Watchdogs: a worker that does no work while there is some, and one whose loop is blocked."""

import subprocess
import sys

import pytest

from flatline.engine.unsafe_exit import EXIT_SOFTWARE
from flatline.engine.watchdog import Progress
from tests.waiting import PATIENCE_S


@pytest.mark.parametrize(
    ("observations", "waiting_s", "why"),
    [
        ([(10, 5, 0), (10, 5, 30)], 30, "work, and no progress"),
        ([(10, 0, 0), (10, 0, 30)], 0, "nothing to do"),
        ([(10, 5, 0), (11, 5, 30)], 0, "it gets on"),
        ([(10, 5, 0), (11, 5, 20), (11, 5, 25)], 5, "counted from the last progress"),
        ([(None, 5, 0), (None, 5, 30)], 30, "it never began"),
    ],
)
def test_progress(observations: list[tuple[int | None, int, float]], waiting_s: float, why: str) -> None:
    """Waiting is measured while there is lag and the position stays."""
    progress = Progress()
    for position, work, now_s in observations:
        progress.observe({"tp": position}, work=work, now_s=now_s)
    assert progress.waiting_s(observations[-1][2]) == waiting_s, why


def test_a_blocked_loop_ends_the_process() -> None:
    """A process whose event loop is blocked beyond the limit ends by itself, with the exit code for it."""
    program = """
import asyncio, time
from flatline.engine.watchdog import LoopWatchdog

async def main():
    task = asyncio.create_task(LoopWatchdog(limit_s=0.6).run())
    await asyncio.sleep(0.3)
    time.sleep(600)

asyncio.run(main())
"""
    done = _run(program)
    assert done.returncode == EXIT_SOFTWARE
    assert "the event loop was blocked" in done.stderr.splitlines()[-1], "the end of a log is what people are shown"
    assert "in main" in done.stderr, "the stacks of all threads say where it was blocked"
    assert "in _watch" in done.stderr


def test_a_worker_that_is_ending_is_not_watched() -> None:
    """However long the rest of its end takes: its loop is not asked to tick any more, and it writes nothing."""
    program = """
import asyncio, threading
from flatline.engine.watchdog import LoopWatchdog

async def main():
    task = asyncio.create_task(LoopWatchdog(limit_s=0.6).run())
    await asyncio.sleep(0.3)
    [watching] = [thread for thread in threading.enumerate() if thread.name == "loop-watchdog"]
    task.cancel()
    await asyncio.wait([task])
    watching.join()

asyncio.run(main())
"""
    done = _run(program)
    assert not done.returncode, done.stderr


def _run(program: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
