"""Long work on the event loop, in turns: between them everybody else gets theirs."""

import asyncio
from time import monotonic
from typing import Final

TURN_S: Final = 0.025


class Turns:
    """Measures turns of work. ``budget_s``: how much time all of them together may take, the pauses left out."""

    def __init__(self, budget_s: float = float("inf")) -> None:
        self._left_s = budget_s
        self._began_s = monotonic()

    @property
    def is_over(self) -> bool:
        """Whether this turn has taken long enough."""
        return monotonic() - self._began_s >= TURN_S

    @property
    def is_budget_spent(self) -> bool:
        """Whether there is no time left for any work."""
        return monotonic() - self._began_s >= self._left_s

    async def next(self) -> None:
        """End this turn, let others have theirs, and begin another one."""
        self._left_s -= monotonic() - self._began_s
        await asyncio.sleep(0)
        self._began_s = monotonic()
