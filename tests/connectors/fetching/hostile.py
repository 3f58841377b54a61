"""Servers of foreign pages that behave as badly as foreign servers may."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp.abc import AbstractResolver, ResolveResult

from flatline_connectors.fetching.addresses import is_public
from flatline_connectors.fetching.fetcher import Fetcher, Limits
from flatline_connectors.fetching.timing import Timing
from tests.waiting import PATIENCE_S

PUBLIC = "127.0.0.2"
"""The one address of this machine that the tests' fetchers take for public."""

Script = Callable[["Asked", asyncio.StreamWriter], Awaitable[None]]


class Asked:
    """A request as the server got it: its method and path, its headers in lower case, and its body."""

    body = b""

    def __init__(self, head: bytes) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.path = first.split(" ")[:2]
        pairs = (line.split(":", 1) for line in lines if ":" in line)
        self.headers = {name.lower(): value.strip() for name, value in pairs}


class Server:
    """Answers paths by their scripts, and 404 to all others. ``asked`` has the requests in their order."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.scripts: dict[str, Script] = {}
        self.asked: list[Asked] = []

    def url(self, path: str, host: str = "page.example") -> str:
        """Return the address of a path."""
        return f"http://{host}:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        """Return the paths that were asked for, robots.txt apart."""
        return [asked.path for asked in self.asked if asked.path != "/robots.txt"]

    def says(self, path: str, *headers: str, body: bytes = b"", status: int = 200) -> None:
        """Have a path answered with exactly these headers and bytes."""
        self.scripts[path] = saying(*headers, body=body, status=status)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        try:
            asked = Asked(await reader.readuntil(b"\r\n\r\n"))
            asked.body = await reader.readexactly(int(asked.headers.get("content-length", 0)))
            self.asked.append(asked)
            await self.scripts.get(asked.path, saying(status=404))(asked, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


def saying(*headers: str, body: bytes = b"", status: int = 200) -> Script:
    """Return a script that sends one answer; a Content-Length only if it is among the headers."""
    lines = [f"HTTP/1.1 {status} Whatever", "Connection: close", *headers]

    async def script(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    return script


def endless(head: str, piece: bytes, *, every_s: float = 0.0) -> Script:
    """Return a script that begins with some head and never stops sending the same piece."""

    async def script(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(head.replace("\n", "\r\n").encode())
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every_s)

    return script


class Names(AbstractResolver):
    """A resolver with answers of its own: each host has a list of them, of which the last one stays."""

    def __init__(self, answers: dict[str, list[list[str]]] | None = None) -> None:
        self.answers = answers or {}
        self.asked: list[str] = []

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 (aiohttp's)
    ) -> list[ResolveResult]:
        """Return what the host resolves to now; any other host is the tests' server."""
        self.asked.append(host)
        left = self.answers.get(host, [[PUBLIC]])
        addresses = left.pop(0) if len(left) > 1 else left[0]
        if not addresses:
            raise OSError(f"no such host: {host}")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


class FakeTime:
    """A clock that only sleeping moves. ``slept`` has what was slept, in order."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.slept.append(seconds)
        self.now_s += seconds
        await asyncio.sleep(0)

    @property
    def timing(self) -> Timing:
        """The fetcher's view of it."""
        return Timing(now_s=lambda: self.now_s, monotonic_s=lambda: self.now_s, sleep=self.sleep)


def may_connect(address: str) -> bool:
    """Whether tests may connect to an address: they take the server's for a public one."""
    return address == PUBLIC or is_public(address)


_PATIENT = Limits(connect_s=PATIENCE_S, total_s=PATIENCE_S)


def fetcher(names: Names | None = None, time: FakeTime | None = None, limits: Limits | None = None) -> Fetcher:
    """Return a fetcher for these tests."""
    return Fetcher(
        "Flatline/0 (+https://us.example/contact)",
        limits=limits or _PATIENT,
        timing=(time or FakeTime()).timing,
        may_connect=may_connect,
        resolver=names or Names(),
    )


@asynccontextmanager
async def serving(address: str = PUBLIC, port: int = 0) -> AsyncIterator[Server]:
    """Run a server for the block."""
    server = Server(0)
    connections: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        connections.add(task)
        try:
            await server.handle(reader, writer)
        finally:
            connections.discard(task)

    listening = await asyncio.start_server(handle, address, port)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
