"""One request a host at a time, and a pause after each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from flatline_connectors.fetching.timing import Timing

PAUSE_S: Final = 2.0
# A longer Crawl-delay would keep a connector from ending.
PAUSE_MAX_S: Final = 60.0
_REMEMBERED_HOSTS: Final = 1_000


class _Turns:
    """Whose turn it is on one host. ``users``: requests that hold it or wait for it."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.free_at_s = 0.0
        self.users = 0


class HostPacing:
    """Hands out turns to request something from a host."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._hosts: dict[str, _Turns] = {}

    @asynccontextmanager
    async def turn(self, host: str, *, pause_s: float = PAUSE_S) -> AsyncIterator[None]:
        """Wait until the host may be asked, and keep all others from it for the block and ``pause_s`` after it."""
        self._forget()
        turns = self._hosts.setdefault(host, _Turns())
        turns.users += 1
        try:
            async with turns.lock:
                if (wait_s := turns.free_at_s - self._timing.monotonic_s()) > 0:
                    await self._timing.sleep(wait_s)
                try:
                    yield
                finally:
                    pause_s = min(max(pause_s, PAUSE_S), PAUSE_MAX_S)
                    turns.free_at_s = self._timing.monotonic_s() + pause_s
        finally:
            turns.users -= 1

    def _forget(self) -> None:
        if len(self._hosts) >= _REMEMBERED_HOSTS:
            now_s = self._timing.monotonic_s()
            self._hosts = {host: turns for host, turns in self._hosts.items() if turns.users or turns.free_at_s > now_s}
