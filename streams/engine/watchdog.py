"""Ends a worker whose event loop is blocked, or that makes no progress."""

import asyncio
import threading
from collections.abc import Mapping
from time import monotonic

from flatline.engine.unsafe_exit import exit_unsafe

TICK_S = 0.25


class LoopWatchdog:
    """Measures how late the event loop runs, and ends the process when it is later than ``limit_s``.

    A worker that is blocked or paused for longer than its session is thrown out of its group; it must not come back and
    write. A thread of its own sees what the loop can't.
    """

    def __init__(self, *, limit_s: float) -> None:
        self._limit_s = limit_s
        self._last_tick = monotonic()
        self._is_over = threading.Event()
        self.lag_s = 0.0

    async def run(self) -> None:
        """Tick until it is cancelled; the loop's lag is how much later than asked a tick comes.

        Nothing is watched after that: whatever else a process does at its end may take long on a slow machine.
        """
        self._last_tick = monotonic()
        threading.Thread(target=self._watch, name="loop-watchdog", daemon=True).start()
        try:
            while True:
                await asyncio.sleep(TICK_S)
                now = monotonic()
                self.lag_s = max(0.0, now - self._last_tick - TICK_S)
                self._last_tick = now
        finally:
            self._is_over.set()

    def _watch(self) -> None:
        while not self._is_over.wait(TICK_S):
            blocked_s = monotonic() - self._last_tick
            if blocked_s > self._limit_s:
                exit_unsafe(f"the event loop was blocked for {blocked_s:.1f} s")


class Progress:
    """Tells a worker that has nothing to do from one that does not do it. Instants are of a monotonic clock, in s."""

    def __init__(self) -> None:
        self._positions: Mapping[object, int | None] = {}
        self._waiting_since_s: float | None = None

    def observe(self, positions: Mapping[object, int | None], *, work: int, now_s: float) -> None:
        """Note how far each thing is that moves when work is done, and whether there is any."""
        if work == 0:
            self._waiting_since_s = None
        elif self._waiting_since_s is None or positions != self._positions:
            self._waiting_since_s = now_s
        self._positions = positions

    def waiting_s(self, now_s: float) -> float:
        """Return for how long there has been work while none was done."""
        return 0.0 if self._waiting_since_s is None else now_s - self._waiting_since_s
