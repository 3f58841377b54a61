"""A fetcher for worlds that are streams."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from flatline_connectors.fetching.outcomes import Failed, Outcome
from flatline_connectors.fetching.sse import Message
from tests.connectors.runtime.worlds.fetching import NoFetcher

Answer = Callable[[str, str], Sequence[Message]]
"""Messages that a server has for an address and the id of the last message that was seen."""


class ScriptedConnection:
    """Says some messages. Then the server ends it, or, where nothing more is there, is quiet."""

    def __init__(self, messages: Sequence[Message], *, is_cut_off: bool) -> None:
        self._messages = list(messages)
        self._is_cut_off = is_cut_off

    async def next(self) -> Message | None:
        """As of `flatline_connectors.fetching.connections.Connection`."""
        if self._messages:
            return self._messages.pop(0)
        if self._is_cut_off:
            return None
        raise TimeoutError  # as after a long time in which nothing comes


class ScriptedStreams(NoFetcher):
    """Cuts each connection off after some messages. ``retry_after_s``: the next one is refused with 429 and this."""

    def __init__(self, answer: Answer, *, cut_off_after: int = 3) -> None:
        self.answer = answer
        self.cut_off_after = cut_off_after
        self.retry_after_s: int | None = None
        self.asked: list[tuple[str, str]] = []
        self.open = 0

    @asynccontextmanager
    async def events(self, url: str, *, last_event_id: str = "") -> AsyncIterator[ScriptedConnection]:
        """As of `flatline_connectors.fetching.fetcher.Fetcher.events`."""
        self.asked.append((url, last_event_id))
        if self.retry_after_s is not None:
            retry_after_s, self.retry_after_s = self.retry_after_s, None
            raise Failed(Outcome.RATE_LIMITED, "too often", status=429, retry_after_s=retry_after_s)
        messages = self.answer(url, last_event_id)
        said = messages[: self.cut_off_after]
        self.open += 1
        try:
            yield ScriptedConnection(said, is_cut_off=len(said) < len(messages))
        finally:
            self.open -= 1

    @asynccontextmanager
    async def socket(self, url: str) -> AsyncIterator[ScriptedConnection]:
        """As of `flatline_connectors.fetching.fetcher.Fetcher.socket`."""
        async with self.events(url) as connection:
            yield connection
