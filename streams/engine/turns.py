"""Splits long work on the event loop into turns, so that other tasks run in between."""

import asyncio
from time import monotonic
from typing import Final

# A request waits for several turns of a commit, until it is read, answered and written: it was slow with long ones.
TURN_S: Final = 0.005


class Turns:
    """Measures turns of work."""

    def __init__(self) -> None:
        self._spent_s = 0.0
        self._first_began_s = self._began_s = monotonic()

    @property
    def is_over(self) -> bool:
        """Whether this turn has taken long enough."""
        return monotonic() - self._began_s >= TURN_S

    @property
    def spent_s(self) -> float:
        """How much time all turns took so far, the pauses left out."""
        return self._spent_s + monotonic() - self._began_s

    @property
    def elapsed_s(self) -> float:
        """How long ago the first turn began, the pauses included."""
        return monotonic() - self._first_began_s

    async def next(self) -> None:
        """End this turn, let others have theirs, and begin another one."""
        self._spent_s = self.spent_s
        await asyncio.sleep(0)
        self._began_s = monotonic()
