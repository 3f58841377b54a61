"""An event loop whose time stands still until it is moved: what runs on it repeats exactly."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

RESOLUTION_S: Final = 0.0005
"""Timers within so much of now go off: the clock moves by whole ms, and sums of seconds are rounded."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs what is ready, in order; timers go off by a clock that is an argument."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        super().__init__()
        self._clock_resolution = RESOLUTION_S
        self.set_exception_handler(lambda _loop, _context: None)  # tasks die with their process

    def time(self) -> float:
        """Return the virtual time, in s."""
        return self._now_s()

    def run_ready(self) -> None:
        """Run until nothing is left to be done at this time."""
        while True:
            self.call_soon(self.stop)
            self.run_forever()
            if not self._ready and not any(timer.when() < self.time() + RESOLUTION_S for timer in self._scheduled):
                return

    def kill(self) -> None:
        """Give up all that is under way, and close the loop."""
        while tasks := [task for task in asyncio.all_tasks(self) if not task.done()]:
            for task in tasks:
                task.cancel()
            self.run_ready()
        self.close()

    _ready: Any
    _scheduled: Any
