"""A server such as the ingest, from its start to its orderly end."""

import asyncio
import logging
import signal
import ssl
from collections.abc import Callable
from typing import Final, Protocol

from aiohttp import web

from flatline.kafka.cluster import KafkaCluster
from flatline_connectors.errors import ConnectorError
from flatline_connectors.ingest.connections import Connections
from flatline_connectors.sending.settling import SETTLED_WITHIN_S

_PROBE_WITHIN_S: Final = 2


class Served(Protocol):
    """What is served, such as the ingest. ``name`` is the word in its settings, ``title`` what people call it."""

    name: str
    title: str
    connections: Connections

    def application(self) -> web.Application:
        """Return the application."""

    async def drain(self) -> None:
        """Admit no more requests, and wait until those in flight are answered."""


async def serve(
    served: Served,
    *,
    host: str,
    port: int,
    tls: ssl.SSLContext | None,
    on_listening: Callable[[], None],
    on_hangup: Callable[[], None],
) -> None:
    """Serve until SIGTERM or Ctrl-C, then let no more requests in and finish those that are. Raise `ConnectorError`.

    With ``tls`` it speaks HTTPS only.
    """
    # aiohttp's own messages on broken requests quote them, tokens and all. Bodies are decompressed by ourselves: it
    # takes a gzip stream that is cut short for a whole one.
    silent = logging.getLogger(f"{__name__}.aiohttp")
    silent.disabled = True
    runner = web.AppRunner(
        served.application(),
        access_log=None,
        logger=silent,
        auto_decompress=False,
        keepalive_timeout=served.connections.silent_s_max,
        shutdown_timeout=SETTLED_WITHIN_S,
    )
    await runner.setup()
    assert runner.server is not None
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    try:
        server = await loop.create_server(
            served.connections.served_by(runner.server),
            host,
            port,
            ssl=tls,
            # A connection is counted, and has time for its head, from the end of the handshake on.
            ssl_handshake_timeout=served.connections.limits.header_timeout_s if tls else None,
        )
    except OSError as error:
        await runner.cleanup()
        word = served.name.upper()
        raise ConnectorError(
            f"{served.title} can't listen on {host}:{port}: {error.strerror}.",
            remedy=f"Choose another address with --host and --port, or FLATLINE_{word}_HOST and FLATLINE_{word}_PORT.",
        ) from error
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, on_hangup)
    on_listening()
    await stop.wait()
    server.close()
    # aiohttp's own end reads no further: without this, a body that is still coming would be lost.
    await served.drain()
    await runner.cleanup()


async def is_kafka_reachable(cluster: KafkaCluster) -> bool:
    """Whether one of ``host:port,...`` accepts a connection."""
    for server in cluster.servers:
        host, _, port = server.rpartition(":")
        try:
            async with asyncio.timeout(_PROBE_WITHIN_S):
                _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except (OSError, TimeoutError):
            continue
        writer.close()
        return True
    return False
