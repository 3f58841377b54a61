"""The routes of the ingest."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from aiohttp import web
from msgspec import UNSET

from connectors import links, visits
from connectors.delivery import Deliveries
from connectors.ingest import answers, parsing
from connectors.ingest.answers import Refused, RejectedEvent
from connectors.ingest.auth import Authority
from connectors.ingest.heartbeats import Heartbeats, PushedHeartbeat, pushed_heartbeats
from connectors.ingest.intake import Batch, Intake, Prepare, Prepared, Send
from connectors.ingest.limits import Limits
from connectors.ingest.metrics import IngestMetrics
from connectors.producer import Producer
from streams.schema.rejection import Rejected

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_BODY_WITHIN_S: Final = 30
_RETRY_AFTER_S: Final = 1

_log = logging.getLogger(__name__)


class Ingest:
    """Handles requests. `application` makes it an aiohttp application, `drain` brings it to an orderly end."""

    def __init__(
        self,
        producer: Producer,
        authority: Authority,
        metrics: IngestMetrics,
        *,
        limits: Limits,
        heartbeats: Heartbeats,
        is_kafka_reachable: Callable[[], Awaitable[bool]],
    ) -> None:
        self._producer = producer
        self._authority = authority
        self._metrics = metrics
        self._limits = limits
        self._heartbeats = heartbeats
        self._is_kafka_reachable = is_kafka_reachable
        self._intake = Intake(producer, limits, now_s=time.monotonic)
        self._in_flight = 0
        self._is_idle = asyncio.Event()
        self._is_draining = False

    def application(self) -> web.Application:
        """Return the application."""
        app = web.Application(client_max_size=self._limits.body_bytes, middlewares=[self._answer])
        app.add_routes(
            [
                web.post("/v1/links", self._links),
                web.post("/v1/visits", self._visits),
                web.post("/v1/heartbeats", self._heartbeat),
                web.get("/metrics", self._exposition),
                web.get("/livez", self._livez),
                web.get("/readyz", self._readyz),
            ]
        )
        app.on_cleanup.append(self._close)
        return app

    async def drain(self) -> None:
        """Let no more bodies in, and wait for the answers to those that are."""
        self._is_draining = True
        if self._in_flight:
            self._is_idle.clear()
            await self._is_idle.wait()

    async def _close(self, _app: web.Application) -> None:
        self._intake.close()

    async def _links(self, request: web.Request) -> web.Response:
        return await self._take(request, links.prepare, self._producer.send_link, is_sign_of_life=True)

    async def _visits(self, request: web.Request) -> web.Response:
        # Who counts visits sees no links: whether it lives says nothing about them.
        prepare = partial(visits.prepare, now_ms=self._producer.now_ms())
        return await self._take(request, prepare, self._producer.send_visits, is_sign_of_life=False)

    async def _take(
        self, request: web.Request, prepare: Prepare[Prepared], send: Send[Prepared], *, is_sign_of_life: bool
    ) -> web.Response:
        source = self._source_of(request)
        if request.content_type not in (parsing.JSON, parsing.NDJSON):
            raise Refused(415, "unsupported_type", f"Content-Type must be {parsing.JSON} or {parsing.NDJSON}.")
        with self._flight():
            batch = Batch(
                await self._body_of(request),
                content_type=request.content_type,
                encoding=request.headers.get("Content-Encoding", "").lower(),
                source=source,
            )
            accepted, rejected = await self._intake.take(batch, prepare, send)
            self._count(source, accepted, rejected)
            if accepted and is_sign_of_life:
                await self._refresh(source)
        return answers.batch(accepted, rejected)

    async def _heartbeat(self, request: web.Request) -> web.Response:
        source = self._source_of(request)
        with self._flight():
            body = await self._body_of(request)
            try:
                pushed = pushed_heartbeats.decode(body)
            except Rejected as rejected:
                return answers.batch(0, [RejectedEvent(0, rejected)])
            if isinstance(pushed.period_s, float):
                self._heartbeats.declare(source, period_s=pushed.period_s)
            await self._say_alive(source, pushed)
        return answers.batch(1, [])

    async def _refresh(self, source: str) -> None:
        now_ms = self._producer.now_ms()
        if self._heartbeats.is_due(source, now_ms=now_ms):
            await self._say_alive(source)
            self._heartbeats.sent(source, now_ms=now_ms)

    async def _say_alive(self, source: str, pushed: PushedHeartbeat | None = None) -> None:
        def send(deliveries: Deliveries) -> None:
            period_s = self._heartbeats.period_s(source)
            if pushed is None:
                self._producer.heartbeat(source, period_s=period_s, deliveries=deliveries)
                return
            self._producer.heartbeat(
                source,
                pushed.seen_until,
                period_s=period_s if pushed.period_s is UNSET else pushed.period_s,
                pages_seen=pushed.pages_seen,
                errors=pushed.errors,
                deliveries=deliveries,
            )

        await self._intake.acknowledged(send)

    async def _exposition(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._metrics.exposition(), headers={"Content-Type": self._metrics.content_type})

    async def _livez(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _request: web.Request) -> web.Response:
        if not await self._is_kafka_reachable():
            raise Refused(503, "kafka_unavailable", "No Kafka server accepts a connection.")
        return web.Response(text="ok\n")

    def _source_of(self, request: web.Request) -> str:
        source = self._authority.source_of(request.headers.get("Authorization"))
        if source is None:
            raise Refused(401, "unauthorized", "Send `Authorization: Bearer <token>` with a token of the tokens file.")
        return source

    @contextmanager
    def _flight(self) -> Iterator[None]:
        if self._is_draining:
            raise Refused(503, "stopping", "The ingest is being stopped. Send it again.", retry_after_s=_RETRY_AFTER_S)
        if self._in_flight >= self._limits.requests_in_flight or self._producer.is_full:
            raise Refused(
                503, "too_busy", "Too much is on its way to Kafka. Send it again.", retry_after_s=_RETRY_AFTER_S
            )
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._is_idle.set()

    async def _body_of(self, request: web.Request) -> bytes:
        try:
            async with asyncio.timeout(_BODY_WITHIN_S):
                return await request.read()
        except TimeoutError:
            raise Refused(408, "too_slow", f"The body did not come within {_BODY_WITHIN_S} s.") from None
        except web.HTTPRequestEntityTooLarge:
            raise parsing.too_large(self._limits.body_bytes) from None
        except (web.RequestPayloadError, ConnectionError):  # the latter: nobody is there any more to read the answer
            raise Refused(400, "bad_request", "The body is cut short, or not encoded as its headers say.") from None

    def _count(self, source: str, accepted: int, rejected: list[RejectedEvent]) -> None:
        self._metrics.events.labels(source=source, outcome="accepted").inc(accepted)
        self._metrics.events.labels(source=source, outcome="rejected").inc(len(rejected))
        for event in rejected:
            self._metrics.rejected.labels(source=source, reason=event.rejected.reason.value).inc()

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        started_s = time.perf_counter()
        response = await _answered(request, handler)
        if request.path.startswith("/v1/"):
            self._metrics.requests.labels(code=str(response.status)).inc()
            self._metrics.duration.observe(time.perf_counter() - started_s)
        return response


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Return the handler's answer, or the error body; so nothing else is ever answered."""
    try:
        return await handler(request)
    except Refused as refused:
        return answers.error(refused)
    except web.HTTPMethodNotAllowed as wrong:
        response = answers.error(
            Refused(405, "method_not_allowed", f"Use {' or '.join(sorted(wrong.allowed_methods))}.")
        )
        response.headers["Allow"] = wrong.headers["Allow"]
        return response
    except web.HTTPException as wrong:
        return answers.error(
            Refused(wrong.status, "not_found" if isinstance(wrong, web.HTTPNotFound) else "bad_request", wrong.reason)
        )
    except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer and the log the whole story
        _log.exception("%s %s failed", request.method, request.path)
        return answers.error(Refused(500, "internal", "The ingest has a bug; its log has the details."))
