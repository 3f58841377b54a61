"""Connections to the ingest: how many there may be, and how long each may take for what.

aiohttp limits neither their number nor the time that a request's head may take.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from prometheus_client import Counter, Gauge

from flatline_connectors.ingest import answers
from flatline_connectors.ingest.answers import Refused

_RETRY_AFTER_S: Final = 1
_LAST_WORD_S: Final = 1


class ConnectionLimits(Protocol):
    """How many connections there may be, and how long each may take for what."""

    @property
    def max_connections(self) -> int:
        """At a time."""

    @property
    def header_timeout_s(self) -> float:
        """Within which a request's head has to come."""

    @property
    def idle_timeout_s(self) -> float:
        """Between an answer and the next request."""


class ConnectionMetrics(Protocol):
    """How many there are, and which were closed by us."""

    connections: Gauge
    connections_closed: Counter


class Connections:
    """All open connections.

    A request's head has ``header_timeout_s``, from the beginning of the connection or from its first byte. Between an
    answer and the next request ``idle_timeout_s`` may pass. In between the request's own limits hold. When there are
    too many connections, a new one takes the place of the oldest that has shown no token; if all have, it is refused.
    """

    def __init__(self, limits: ConnectionLimits, metrics: ConnectionMetrics) -> None:
        self.limits = limits
        self.metrics = metrics
        self._open: dict[asyncio.BaseTransport, _Connection] = {}  # the oldest first

    @property
    def silent_s_max(self) -> float:
        """How long a connection is never left without a request: aiohttp's own timeout, which comes later than ours."""
        return self.limits.idle_timeout_s + self.limits.header_timeout_s + 1

    def served_by(self, handler: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """Return what makes the protocol of a new connection, of which an admitted one is served by ``handler``."""
        return lambda: _Connection(self, handler)

    def began(self, transport: asyncio.BaseTransport | None) -> None:
        """Note that the head of a request is there."""
        if transport in self._open:
            self._open[transport].serve()

    def authenticated(self, transport: asyncio.BaseTransport | None) -> None:
        """Note that a connection has shown a token."""
        if transport in self._open:
            self._open[transport].is_authenticated = True

    def answered(self, transport: asyncio.BaseTransport | None) -> None:
        """Note that a request has its answer."""
        if transport in self._open:
            self._open[transport].idle()

    def admit(self, connection: "_Connection", transport: asyncio.BaseTransport) -> bool:
        """Whether there is room for a connection, or can be made."""
        if len(self._open) >= self.limits.max_connections:
            oldest = next((each for each in self._open.values() if not each.is_authenticated), None)
            if oldest is None:
                return False
            oldest.refuse(too_many(self.limits.max_connections), reason="too_many")
        self._open[transport] = connection
        self.metrics.connections.set(len(self._open))
        return True

    def closed(self, transport: asyncio.BaseTransport) -> None:
        """Note the end of a connection."""
        self._open.pop(transport, None)
        self.metrics.connections.set(len(self._open))


class _Connection(asyncio.Protocol):
    """One connection, between its transport and the protocol that serves it."""

    def __init__(self, connections: Connections, handler: Callable[[], asyncio.Protocol]) -> None:
        self.is_authenticated = False
        self._connections = connections
        self._new_handler = handler
        self._handler: asyncio.Protocol | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_idle = False
        self._is_refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not self._connections.admit(self, transport):
            self.refuse(too_many(self._connections.limits.max_connections), reason="too_many")
            return
        self._await_head()
        self._handler = self._new_handler()
        self._handler.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._is_idle:
            self._await_head()
        if self._handler and not self._is_refused:
            self._handler.data_received(data)

    def eof_received(self) -> bool | None:
        return self._handler.eof_received() if self._handler and not self._is_refused else None

    def pause_writing(self) -> None:
        if self._handler:
            self._handler.pause_writing()

    def resume_writing(self) -> None:
        if self._handler:
            self._handler.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._time(None)
        self._connections.closed(self._transport)
        if self._handler:
            self._handler.connection_lost(exc)

    def serve(self) -> None:
        """Stop the clock: a request is there."""
        self._is_idle = False
        self._time(None)

    def idle(self) -> None:
        """Begin to wait for another request, and for the answer to be read."""
        self._is_idle = True
        self._time(self._connections.limits.idle_timeout_s, self._hang_up)

    def refuse(self, refused: Refused, *, reason: str) -> None:
        """Say why, and close the connection."""
        self._connections.metrics.connections_closed.labels(reason=reason).inc()
        self._time(None)
        self._connections.closed(self._transport)
        self._is_refused, self._is_idle = True, False
        if self._transport.get_write_buffer_size():
            self._transport.abort()
            return
        # What is still coming is read and thrown away for a moment: closed at once, the answer would be lost with it.
        self._transport.write(answers.raw(refused))
        if self._transport.can_write_eof():  # TLS has no half of a connection to close
            self._transport.write_eof()
        self._time(_LAST_WORD_S, self._transport.abort)

    def _await_head(self) -> None:
        self._is_idle = False
        self._time(self._connections.limits.header_timeout_s, self._head_is_late)

    def _head_is_late(self) -> None:
        within_s = self._connections.limits.header_timeout_s
        self.refuse(Refused(408, "too_slow", f"No request's head came within {within_s:g} s."), reason="slow_head")

    def _hang_up(self) -> None:
        self._connections.metrics.connections_closed.labels(reason="idle").inc()
        self._connections.closed(self._transport)
        self._transport.abort()

    def _time(self, within_s: float | None, then: Callable[[], None] | None = None) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None
        if within_s is not None and then is not None:
            self._timer = asyncio.get_running_loop().call_later(within_s, then)


def too_many(connections_max: int) -> Refused:
    """Return the refusal of one connection too many."""
    message = f"There may be {connections_max:,} connections. Come back later."
    return Refused(503, "too_many_connections", message, retry_after_s=_RETRY_AFTER_S)
