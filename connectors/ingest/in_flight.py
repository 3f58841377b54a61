"""Limits the requests that are in flight, and the bytes that their bodies hold."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import web

from flatline_connectors.ingest import parsing
from flatline_connectors.ingest.answers import Refused
from flatline_connectors.ingest.limits import Limits
from flatline_connectors.ingest.metrics import IngestMetrics

_RETRY_AFTER_S: Final = 1


class HeldBody:
    """The part of a request's body that is in memory."""

    def __init__(self) -> None:
        self.body_bytes = 0


class RequestsInFlight:
    """Counts requests and the bytes of their bodies, and refuses more than the limits allow.

    ``is_full`` returns whether the producer has no room for more records.
    """

    def __init__(self, limits: Limits, metrics: IngestMetrics, *, is_full: Callable[[], bool]) -> None:
        self._limits = limits
        self._metrics = metrics
        self._is_full = is_full
        self._requests = 0
        self._bytes = 0
        self._is_none = asyncio.Event()
        self._is_draining = False

    @contextmanager
    def admit(self) -> Iterator[HeldBody]:
        """Count a request as in flight within the block. Raise `Refused` (503) when there are too many."""
        if self._is_draining:
            raise Refused(503, "stopping", "The ingest is being stopped. Send it again.", retry_after_s=_RETRY_AFTER_S)
        if self._requests >= self._limits.max_requests or self._is_full():
            raise _too_busy()
        held = HeldBody()
        self._requests += 1
        try:
            yield held
        finally:
            self._requests -= 1
            self._hold(-held.body_bytes)
            if not self._requests:
                self._is_none.set()

    async def body_of(self, request: web.Request, held: HeldBody) -> bytes:
        """Return the body of an admitted request. Raise `Refused`: 400, 408, 413, 503."""
        within_s, body = self._limits.body_timeout_s, bytearray()
        try:
            async with asyncio.timeout(within_s):
                async for chunk in request.content.iter_any():
                    body += chunk
                    held.body_bytes += len(chunk)
                    self._hold(len(chunk))
                    if len(body) > self._limits.max_body_bytes:
                        raise parsing.too_large(self._limits.max_body_bytes)
                    if self._bytes > self._limits.max_bytes_in_flight:
                        raise _too_busy()
        except TimeoutError:
            raise Refused(408, "too_slow", f"The body did not come within {within_s:g} s.") from None
        except (web.RequestPayloadError, ConnectionError):  # the latter: nobody is there any more to read the answer
            raise Refused(400, "bad_request", "The body is cut short, or not encoded as its headers say.") from None
        return bytes(body)

    async def drain(self) -> None:
        """Admit no more requests, and wait until those in flight are answered."""
        self._is_draining = True
        if self._requests:
            self._is_none.clear()
            await self._is_none.wait()

    def _hold(self, count: int) -> None:
        self._bytes += count
        self._metrics.body_bytes.set(self._bytes)


def _too_busy() -> Refused:
    return Refused(503, "too_busy", "Too much is on its way to Kafka. Send it again.", retry_after_s=_RETRY_AFTER_S)
