"""Streams over real connections: servers that hang up in the middle of a message, refuse, and go on."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from msgspec import structs

from flatline.domain.time import to_ms
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.runtime.section import Section
from tests.connectors.fetching.hostile import PUBLIC, fetcher
from tests.connectors.runtime.doubles import Kafka, Process
from tests.connectors.runtime.worlds.bluesky import BlueskyWorld
from tests.connectors.runtime.worlds.wikimedia import WikimediaWorld
from tests.waiting import PATIENCE_S

StreamWorld = WikimediaWorld | BlueskyWorld
CUT_OFF_AFTER = 3


class StreamServer:
    """Says what a world says, and cuts a connection off after some messages, in the middle of the next one.

    The first connection is refused with 503. A stream of events ends with a comment, as it is kept alive.
    """

    def __init__(self, world: StreamWorld) -> None:
        self._world = world
        self.connections = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one connection."""
        self.connections += 1
        if self.connections == 1:
            raise web.HTTPServiceUnavailable
        messages = self._world.fetcher.answer(str(request.url), request.headers.get("Last-Event-ID", ""))
        said, is_cut_off = messages[:CUT_OFF_AFTER], len(messages) > CUT_OFF_AFTER
        assert request.transport is not None
        if request.headers.get("Upgrade") == "websocket":
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            for message in said:
                await socket.send_str(message.data)
            if is_cut_off:
                request.transport.write(b"\x81\x7d{")  # a text of 125 bytes, of which one comes
                request.transport.close()
            await socket.receive()
            return socket
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b":ok\n\n")
        for message in said:
            await response.write(f"event: message\nid: {message.id}\ndata: {message.data}\n\n".encode())
        await response.write(b'id: [{"topic"' if is_cut_off else b":\n")
        if is_cut_off:
            request.transport.close()
        await asyncio.Event().wait()
        return response


@asynccontextmanager
async def listening(server: StreamServer) -> AsyncIterator[str]:
    """Run a server for the block. Yield its address."""
    application = web.Application()
    application.router.add_get("/{path:.*}", server.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, PUBLIC, 0)
    await site.start()
    try:
        yield f"http://stream.example:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("make", [WikimediaWorld, BlueskyWorld])
async def test_all_is_found_whatever_the_server_does(make: type[StreamWorld], tmp_path: Path) -> None:
    """The runtime tries again, goes on after what it has, and leaves no connection open."""
    world, kafka = make(tmp_path), Kafka()
    server = StreamServer(world)
    async with listening(server) as address, fetcher() as opened, asyncio.timeout(PATIENCE_S):

        def lend() -> Resources:
            return dataclasses.replace(world.resources(), fetcher=opened)

        options = structs.replace(world.options, server=address)
        process = Process(Section("mine", options, world.kind), kafka, lend, now_ms=to_ms(world.now))
        await process.runner.run()
        assert (process.runner.status.outcome, process.runner.status.detail) == ("completed", "")
        assert set(kafka.records) == world.records
        known = server.connections
        world.add()
        await process.runner.run()
    assert set(kafka.records) == world.records
    assert known > len(world.said) // CUT_OFF_AFTER
    assert server.connections == known + 1
    assert not kafka.letters
