"""The live feed: server-sent events that go on where the reader left off."""

import asyncio
from functools import partial
from typing import Final

import msgspec
from aiohttp import web

from flatline.api.asking import Asking
from flatline.readmodel.queries.others import happened_since
from flatline.readmodel.queries.views import LiveEvent

FEEDS_MAX: Final = 200
_ALIVE_EVERY_S: Final = 15
_WRITTEN_WITHIN_S: Final = 30


class News:
    """Wakes those who wait for something new, from any thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next = asyncio.Event()
        self.has_ended = False

    def begin(self) -> None:
        """Note the running loop."""
        self._loop = asyncio.get_running_loop()

    def tell(self) -> None:
        """Wake all."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake)

    def end(self) -> None:
        """Wake all for the last time: they end."""
        self.has_ended = True
        self._wake()

    def subscribe(self) -> asyncio.Event:
        """Return what is set when there is something new after now."""
        return self._next

    def _wake(self) -> None:
        woken, self._next = self._next, asyncio.Event()
        woken.set()


async def feed(request: web.Request, asking: Asking, news: News) -> web.StreamResponse:
    """Answer with what happens, until the reader leaves or is too slow. A reader that was away gets what it missed.

    Where that is not kept any more, an event `reset` says so first.
    """
    last_id = request.headers.get("Last-Event-ID")
    told = news.subscribe()
    events, is_gone = await asking.ask(partial(happened_since, last_id=last_id))
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    await response.prepare(request)
    if is_gone:
        await _write(response, b"event: reset\ndata: {}\n\n")
    while not news.has_ended:
        for event in events:
            await _write(response, _lines(event))
            last_id = event.id
        if not events:
            try:
                async with asyncio.timeout(_ALIVE_EVERY_S):
                    await told.wait()
            except TimeoutError:
                await _write(response, b":\n\n")
        told = news.subscribe()
        events, is_gone = await asking.ask(partial(happened_since, last_id=last_id))
        if is_gone:
            await _write(response, b"event: reset\ndata: {}\n\n")
    return response


def _lines(event: LiveEvent) -> bytes:
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event.id.encode(), event.kind.encode(), msgspec.json.encode(event))


async def _write(response: web.StreamResponse, lines: bytes) -> None:
    async with asyncio.timeout(_WRITTEN_WITHIN_S):
        await response.write(lines)
