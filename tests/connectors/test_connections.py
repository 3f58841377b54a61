"""How many connections there may be, and how long each may take: real sockets to aiohttp's server, without Kafka."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from flatline_connectors.ingest.connections import Connections
from flatline_connectors.ingest.limits import Limits
from flatline_connectors.ingest.metrics import IngestMetrics
from tests.waiting import PATIENCE_S

Open = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
NEVER_S = 10_000.0


@asynccontextmanager
async def serving(
    *, connections: int = 10, header_s: float = NEVER_S, idle_s: float = NEVER_S
) -> AsyncIterator[tuple[Open, IngestMetrics]]:
    """Serve with these limits; whoever sends the header `Token` is somebody."""
    limits = Limits(
        max_body_bytes=1,
        max_batch_events=1,
        max_events_per_s=1,
        max_bytes_per_s=1,
        max_requests=1,
        max_bytes_in_flight=1,
        max_connections=connections,
        header_timeout_s=header_s,
        body_timeout_s=NEVER_S,
        idle_timeout_s=idle_s,
    )
    metrics = IngestMetrics(CollectorRegistry())
    guarded = Connections(limits, metrics)

    async def answer(request: web.BaseRequest) -> web.Response:
        guarded.began(request.transport)
        if "Token" in request.headers:
            guarded.authenticated(request.transport)
        await request.read()
        guarded.answered(request.transport)
        return web.Response(text="ok")

    handler = web.Server(answer, keepalive_timeout=guarded.silent_s_max)
    server = await asyncio.get_running_loop().create_server(guarded.served_by(handler), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    writers: list[asyncio.StreamWriter] = []

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return reader, writer

    async with asyncio.timeout(PATIENCE_S):
        yield connect, metrics
        for writer in writers:
            writer.close()
        server.close()
        await handler.shutdown()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, token: bool = False) -> bytes:
    """Send a request and return the answer."""
    writer.write(HEAD + (b"Token: x\r\n" if token else b"") + b"\r\n")
    return await reader.readuntil(b"ok")


async def first_line(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bytes:
    """Send a request and return how the answer begins."""
    reader, writer = connection
    writer.write(HEAD + b"\r\n")
    return await reader.readline()


def closed(metrics: IngestMetrics, reason: str) -> float:
    """Return how many connections were closed for a reason."""
    return metrics.connections_closed.labels(reason=reason)._value.get()


@pytest.mark.parametrize("is_first", [True, False], ids=["at once", "after a request"])
async def test_a_head_that_trickles_is_given_up(is_first: bool) -> None:
    """However often another byte comes: within the time a head must be whole, and the answer says so."""
    async with serving(header_s=1.5) as (connect, metrics):
        reader, writer = await connect()
        if not is_first:
            await ask(reader, writer)
        answer = asyncio.create_task(reader.read())
        writer.write(HEAD)
        while not answer.done():
            writer.write(b"A: 1\r\n")
            await asyncio.sleep(0.02)
        assert b" 408 " in await answer
        assert b'"too_slow"' in await answer
        assert closed(metrics, "slow_head") == 1


async def test_whoever_says_nothing_is_given_up() -> None:
    """Before a first request as soon as if its head were late, after it as soon as it is idle for too long."""
    async with serving(header_s=0.1) as (connect, metrics):
        reader, _ = await connect()
        assert b" 408 " in await reader.read()
        assert closed(metrics, "slow_head") == 1
    async with serving(idle_s=0.1) as (connect, metrics):
        reader, writer = await connect()
        await ask(reader, writer)
        assert await reader.read() == b""
        assert closed(metrics, "idle") == 1


async def test_a_connection_that_is_used_stays() -> None:
    """The time for a head does not count while nobody is asked for one, nor that of another request."""
    async with serving(header_s=1.5) as (connect, _):
        reader, writer = await connect()
        for _ in range(4):
            assert await ask(reader, writer)
            await asyncio.sleep(0.6)


async def test_strangers_make_room() -> None:
    """Many connections that show no token keep nobody out: the oldest of them goes, with an answer."""
    async with serving(connections=4) as (connect, metrics):
        known = await connect()
        await ask(*known, token=True)
        strangers = [await connect() for _ in range(20)]
        for reader, writer in strangers[:17]:
            writer.write(HEAD)
            answer = await reader.read()
            assert b" 503 " in answer
            assert b'"too_many_connections"' in answer
            assert b"Retry-After: 1" in answer
        assert metrics.connections._value.get() == 4
        assert await ask(*known)
        assert await ask(*strangers[-1])
        assert closed(metrics, "too_many") == 17


async def test_known_senders_are_never_displaced() -> None:
    """When all connections have shown a token, the new one is refused; a place that is left is free again."""
    async with serving(connections=2) as (connect, _):
        known = [await connect() for _ in range(2)]
        for each in known:
            await ask(*each, token=True)
        reader, _ = await connect()
        assert b" 503 " in await reader.read()
        for each in known:
            assert await ask(*each)
        known[0][1].close()
        while b" 503 " in await first_line(await connect()):
            pass
