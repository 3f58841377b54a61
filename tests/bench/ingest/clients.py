"""`python -m tests.bench.ingest.clients HOST:PORT TOKEN BATCH FILE`: clients that push as fast as they are answered.

Each of `CLIENTS` has a connection that stays open, and one request under way on it. Little is done for each, so that
one process can keep a server busy. What became of it is in FILE, as `Pushed`.
"""

import asyncio
import sys
import time
from itertools import cycle
from pathlib import Path
from typing import Final

import orjson

from tests.bench.ingest import Pushed
from tests.bench.ingest.bodies import bodies
from tests.bench.part import setting

CLIENTS: Final = 32

_WARM_UP_SHARE: Final = 1 / 3
_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"
_OK: Final = b"HTTP/1.1 200 "


class _Client(asyncio.Protocol):
    """One connection. Raises nothing: an answer other than 200 ends the process."""

    def __init__(self, push: "_Push") -> None:
        self._push = push
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._transport.write(next(self._push.requests))

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(_HEAD_END)
        if not end or len(body) < int(head.lower().partition(_LENGTH)[2].partition(b"\r")[0]):
            return
        if not self._received.startswith(_OK):
            sys.exit(self._received.decode())
        self._received = b""
        self._push.answered += 1
        if self._push.is_over:
            self._transport.close()
        else:
            self._transport.write(next(self._push.requests))

    def connection_lost(self, exc: Exception | None) -> None:
        if exc or not self._push.is_over:
            sys.exit(f"the connection was lost: {exc}")
        self._push.open -= 1
        if not self._push.open:
            self._push.ended.set()


class _Push:
    """All clients together."""

    def __init__(self, address: str, token: str, batch: int) -> None:
        self._address = address
        self._batch = batch
        head = f"POST /v1/links HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n".encode()
        head += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self.requests = cycle([head % len(body) + body for body in bodies(batch)])
        self.answered = 0
        self.is_over = False
        self.open = CLIENTS
        self.ended = asyncio.Event()

    async def run(self) -> Pushed:
        """Push, and wait for the answers to all that was pushed."""
        host, _, port = self._address.rpartition(":")
        for _ in range(CLIENTS):
            await asyncio.get_running_loop().create_connection(lambda: _Client(self), host, int(port))
        window_s = setting("INGEST_MS", 3_000) / 1000
        await asyncio.sleep(window_s * _WARM_UP_SHARE)
        answered, began_s, used_s = self.answered, time.perf_counter(), time.process_time()
        await asyncio.sleep(window_s)
        elapsed_s = time.perf_counter() - began_s
        events_per_s = (self.answered - answered) * self._batch / elapsed_s
        core_share = (time.process_time() - used_s) / elapsed_s
        self.is_over = True
        await self.ended.wait()
        return Pushed(self.answered * self._batch, events_per_s, core_share)


def main(address: str, token: str, batch: str, file: str) -> None:
    """Push, and leave what became of it in the file."""
    Path(file).write_bytes(orjson.dumps(asyncio.run(_Push(address, token, int(batch)).run())))


if __name__ == "__main__":
    main(*sys.argv[1:])
