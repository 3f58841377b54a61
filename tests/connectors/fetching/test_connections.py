"""Streams of events and websockets: what the guarded fetcher makes of servers that speak, and stop."""

import asyncio
import itertools

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from flatline_connectors.fetching.connections import MESSAGE_BYTES_MAX
from flatline_connectors.fetching.outcomes import Failed, Outcome
from flatline_connectors.fetching.sse import EVENT_BYTES_MAX, EventParser, Message
from tests.connectors.fetching.hostile import PUBLIC, Asked, Names, fetcher, serving
from tests.waiting import PATIENCE_S

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"
SAID = ':ok\n\nevent: message\nid: 1\ndata: {"a":\ndata: "ü"}\n\nretry: 9\ndata:b\n\nid: 2\n\ndata: cut off'


@given(st.lists(st.integers(0, len(SAID.encode())), max_size=8), st.sampled_from(["\n", "\r\n", "\r"]))
def test_events_do_not_depend_on_how_they_are_cut(cuts: list[int], line_end: str) -> None:
    """Chunks may end in the middle of a line end or a character."""
    data = b"\xef\xbb\xbf" + SAID.replace("\n", line_end).encode()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    parser, events = EventParser(), []
    for begin, end in itertools.pairwise(edges):
        events += parser.feed(data[begin:end])
    assert events == [Message('{"a":\n"ü"}', "1"), Message("b", "1")]


def test_an_event_without_an_end_is_too_large() -> None:
    """Neither one line nor many fill the memory."""
    for piece in (b"x" * (1 << 20), b"data: " + b"x" * (1 << 20) + b"\n"):
        parser = EventParser()
        for _ in range(EVENT_BYTES_MAX // len(piece)):
            assert parser.feed(piece) == []
        with pytest.raises(Failed, match="too_large"):
            parser.feed(piece)


async def test_a_stream_of_events() -> None:
    """The id of the last one is sent; robots.txt is not asked; waiting may be given up and taken up again."""
    go_on = asyncio.Event()

    async def script(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"id: 7\ndata: on")
        await writer.drain()
        await go_on.wait()
        writer.write(b"e\n\n")

    async with serving() as server, fetcher() as opened:
        server.scripts["/stream"] = script
        async with opened.events(server.url("/stream"), last_event_id="6") as connection:
            waiting = asyncio.ensure_future(connection.next())
            await asyncio.wait([waiting], timeout=0.05)
            waiting.cancel()
            await asyncio.wait([waiting])
            go_on.set()
            async with asyncio.timeout(PATIENCE_S):
                assert await connection.next() == Message("one", "7")
                assert await connection.next() is None
    assert [(asked.path, asked.headers.get("last-event-id")) for asked in server.asked] == [("/stream", "6")]
    assert "Flatline" in server.asked[0].headers["user-agent"]


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (429, ("Retry-After: 77",), Outcome.RATE_LIMITED),
        (503, (), Outcome.SERVER_ERROR),
        (302, ("Location: https://elsewhere.example/",), Outcome.BROKEN),
        (200, ("Content-Type: text/html",), Outcome.WRONG_TYPE),
    ],
)
@pytest.mark.parametrize("kind", ["events", "socket"])
async def test_refusals(kind: str, status: int, headers: tuple[str, ...], outcome: Outcome) -> None:
    """They are what they are for a page; what is no websocket is broken. A redirect is not left unguarded."""
    async with serving() as server, fetcher(Names({"elsewhere.example": [["127.0.0.1"]]})) as opened:
        server.says("/stream", *headers, body=b"no", status=status)
        with pytest.raises(Failed) as failed:
            async with getattr(opened, kind)(server.url("/stream")):
                raise AssertionError("it was let in")
    of_sockets = {200: Outcome.BROKEN, 302: Outcome.FORBIDDEN_ADDRESS}
    assert failed.value.outcome is (of_sockets.get(status, outcome) if kind == "socket" else outcome)
    assert failed.value.retry_after_s == (77 if status == 429 else None)


@pytest.mark.parametrize("kind", ["events", "socket"])
async def test_only_public_addresses(kind: str) -> None:
    """The guard is the one of pages."""
    async with serving() as server, fetcher() as opened:
        with pytest.raises(Failed) as failed:
            async with getattr(opened, kind)(server.url("/stream", "127.0.0.1")):
                raise AssertionError("it was let in")
    assert failed.value.outcome is Outcome.FORBIDDEN_ADDRESS
    assert server.asked == []


async def test_a_websocket() -> None:
    """Texts are messages, by either form of the address. One that is too long, or no text, is refused."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.WebSocketResponse:
        asked.append(request.path_qs)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("one")
        if request.path == "/long":
            await socket.send_str("x" * (MESSAGE_BYTES_MAX + 1))
        elif request.path == "/bytes":
            await socket.send_bytes(b"two")
        await socket.close()
        return socket

    runner = web.AppRunner(application := web.Application())
    application.router.add_get("/{path:.*}", handle)
    await runner.setup()
    site = web.TCPSite(runner, PUBLIC, 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    try:
        async with fetcher() as opened, asyncio.timeout(PATIENCE_S):
            for scheme in ("ws", "http"):
                async with opened.socket(f"{scheme}://page.example:{port}/said?a=1") as connection:
                    assert [await connection.next(), await connection.next()] == [Message("one"), None]
            for path, outcome in (("/long", Outcome.TOO_LARGE), ("/bytes", Outcome.WRONG_TYPE)):
                async with opened.socket(f"http://page.example:{port}{path}") as connection:
                    assert await connection.next() == Message("one")
                    with pytest.raises(Failed) as failed:
                        await connection.next()
                    assert failed.value.outcome is outcome
    finally:
        await runner.cleanup()
    assert asked == ["/said?a=1", "/said?a=1", "/long", "/bytes"]
