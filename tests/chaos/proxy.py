"""A TCP proxy that is as bad as a network can be."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Final, Self

from flatline.local.ports import LOOPBACK

_CHUNK_BYTES: Final = 1 << 16
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: a close is a reset


class Proxy:
    """Hands bytes on from ``port`` to ``target_port``, both on 127.0.0.1, in a thread of its own.

    ``delay_s``   how long every byte is under way, in each direction
    """

    def __init__(self, port: int, target_port: int) -> None:
        self._port = port
        self._target_port = target_port
        self._flows = asyncio.Event()
        self._flows.set()
        self._connections: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self._server: asyncio.Server | None = None
        self.delay_s = 0.0

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._run(self._listen)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._refuse)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Reset all connections at the start of the block, and refuse new ones until its end."""
        self._run(self._refuse)
        try:
            yield
        finally:
            self._run(self._listen)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Be a black hole: connections stay, and what comes is handed on only after the block, whoever has gone."""
        self._loop.call_soon_threadsafe(self._flows.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._flows.set)

    def _run(self, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run_coroutine_threadsafe(step(), self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connect, LOOPBACK, self._port)

    async def _refuse(self) -> None:
        assert self._server
        self._server.close()
        connections, self._connections = self._connections, {}
        for task, writers in connections.items():
            for writer in writers:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                writer.transport.abort()
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _connect(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        writers = self._connections[task] = [to_client]
        try:
            from_server, to_server = await asyncio.open_connection(LOOPBACK, self._target_port)
            writers.append(to_server)
            await asyncio.gather(self._pump(from_client, to_server), self._pump(from_server, to_client))
        except (OSError, asyncio.CancelledError):
            pass  # the connection is over
        finally:
            self._connections.pop(task, None)
            for writer in writers:
                writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand on what is read, and then the end of it; reading never waits for that."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def read() -> None:
            chunk = b"."
            while chunk:
                try:
                    chunk = await reader.read(_CHUNK_BYTES)
                except OSError:  # who was reset has sent his last, too
                    chunk = b""
                under_way.put_nowait((self._loop.time() + self.delay_s, chunk))

        async def write() -> None:
            chunk = b"."
            with suppress(OSError):  # who has gone gets no more; what he sent is still handed on
                while chunk:
                    due_s, chunk = await under_way.get()
                    await asyncio.sleep(due_s - self._loop.time())
                    await self._flows.wait()
                    writer.write(chunk)
                    await writer.drain()
                writer.write_eof()

        await asyncio.gather(read(), write())
