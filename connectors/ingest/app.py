"""The routes of the ingest."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from aiohttp import web
from aiokafka.errors import KafkaError

from flatline.http import with_security_headers
from flatline_connectors.ingest import answers, parsing
from flatline_connectors.ingest.answers import Refused
from flatline_connectors.ingest.auth import Authority, Sender
from flatline_connectors.ingest.batches import (
    Batch,
    BatchResult,
    BatchSender,
    RecordRoute,
    unacknowledged,
)
from flatline_connectors.ingest.connections import Connections
from flatline_connectors.ingest.heartbeats import Heartbeats
from flatline_connectors.ingest.in_flight import RequestsInFlight
from flatline_connectors.ingest.limits import Limits
from flatline_connectors.ingest.metrics import IngestMetrics
from flatline_connectors.ingest.request_ids import REQUEST_ID_HEADER, request_id_of
from flatline_connectors.sending import heartbeats, links, visits
from flatline_connectors.sending.delivery import Deliveries
from flatline_connectors.sending.heartbeats import PreparedHeartbeat
from flatline_connectors.sending.producer import Producer
from flatline_connectors.sending.settling import SETTLED_WITHIN_S

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger(__name__)

REQUEST_ID: Final = web.RequestKey("request_id", str)
_HEARTBEATS: Final = "/v1/heartbeats"


class Ingest:
    """Handles requests. `application` makes it an aiohttp application, `drain` brings it to an orderly end.

    ``heartbeats``  receives the heartbeats topic; ``caught_up`` waits until it has all that is there, and raises
                    KafkaError
    ``discovery``   answers Prometheus, which asks where our processes are
    ``further_routes``  what it answers besides, to anybody
    """

    name = "ingest"
    title = "The ingest"

    def __init__(
        self,
        producer: Producer,
        authority: Authority,
        metrics: IngestMetrics,
        *,
        limits: Limits,
        heartbeats: Heartbeats,
        caught_up: Callable[[], Awaitable[None]],
        is_kafka_reachable: Callable[[], Awaitable[bool]],
        discovery: Handler,
        further_routes: Sequence[web.RouteDef] = (),
    ) -> None:
        self._producer = producer
        self._authority = authority
        self._metrics = metrics
        self._heartbeats = heartbeats
        self._caught_up = caught_up
        self._is_kafka_reachable = is_kafka_reachable
        self._discovery = discovery
        self._further_routes = further_routes
        self._batches = BatchSender(producer, limits, now_s=time.monotonic)
        self._in_flight = RequestsInFlight(limits, metrics, is_full=lambda: producer.is_full)
        self.connections = Connections(limits, metrics)
        self._routes: Mapping[str, RecordRoute] = {
            "/v1/links": RecordRoute(self._prepare_link, producer.send_link, is_sign_of_life=True),
            # Who counts visits sees no links: whether it lives says nothing about them.
            "/v1/visits": RecordRoute(self._prepare_visits, producer.send_visits, is_sign_of_life=False),
            _HEARTBEATS: RecordRoute(self._prepare_heartbeat, self._send_heartbeat, is_sign_of_life=False),
        }

    def application(self) -> web.Application:
        """Return the application."""
        app = with_security_headers(web.Application(middlewares=[self._answer]))
        app.add_routes([web.post(path, self._take) for path in self._routes])
        app.add_routes(
            [
                web.get("/metrics", self._exposition),
                web.get("/livez", self._livez),
                web.get("/readyz", self._readyz),
                web.get("/discovery", self._discovery),
            ]
        )
        app.add_routes(self._further_routes)
        app.on_cleanup.append(self._close)
        return app

    async def drain(self) -> None:
        """Admit no more requests, and wait until those in flight are answered."""
        await self._in_flight.drain()

    async def _close(self, _app: web.Application) -> None:
        self._batches.close()

    async def _take(self, request: web.Request) -> web.Response:
        sender, route = self._sender_of(request), self._routes[request.path]
        if request.content_type not in (parsing.JSON, parsing.NDJSON):
            raise Refused(415, "unsupported_type", f"Content-Type must be {parsing.JSON} or {parsing.NDJSON}.")
        with self._in_flight.admit() as held:
            batch = Batch(
                await self._in_flight.body_of(request, held),
                content_type=request.content_type,
                encoding=request.headers.get("Content-Encoding", "").lower(),
                sender=sender,
                request_id=request[REQUEST_ID],
            )
            if request.path == _HEARTBEATS:
                await self._catch_up()
            taken = await self._batches.take(batch, route)
            self._count(sender, taken)
            _log_rejected(taken, request, sender)
            if route.is_sign_of_life:
                await self._say_alive(taken.sources)
        return answers.batch(taken.accepted, taken.rejected)

    def _prepare_link(self, value: bytes, source: str) -> links.PreparedLink:
        return links.prepare(value, default_source=source)

    def _prepare_visits(self, value: bytes, source: str) -> visits.PreparedVisits:
        return visits.prepare(value, now_ms=self._producer.now_ms(), default_source=source)

    def _prepare_heartbeat(self, value: bytes, source: str) -> PreparedHeartbeat:
        now_ms, period_of = self._producer.now_ms(), self._heartbeats.period_s
        return heartbeats.prepare(value, default_source=source, now_ms=now_ms, period_of=period_of)

    def _send_heartbeat(self, heartbeat: PreparedHeartbeat, /, *, deliveries: Deliveries) -> None:
        self._producer.send_heartbeat(heartbeat, deliveries=deliveries)
        self._heartbeats.note(heartbeat.record)

    async def _say_alive(self, sources: set[str]) -> None:
        """Say that the sources of links live, with the periods that they declared, as often as these ask for."""
        now_ms = self._producer.now_ms()
        if not any(self._heartbeats.is_due(source, now_ms=now_ms) for source in sources):
            return
        await self._catch_up()

        def send(deliveries: Deliveries) -> None:
            for source in sources:
                if self._heartbeats.is_due(source, now_ms=now_ms):
                    period_s = self._heartbeats.declared_s(source)
                    self._producer.heartbeat(source, period_s=period_s, deliveries=deliveries)
                    self._heartbeats.sent(source, now_ms=now_ms)

        await self._batches.acknowledged(send)

    async def _catch_up(self) -> None:
        """Wait for all declared periods: another ingest may have been told of a new one just now. Raise `Refused`."""
        try:
            async with asyncio.timeout(SETTLED_WITHIN_S):
                await self._caught_up()
        except (KafkaError, TimeoutError) as error:
            raise unacknowledged(error) from error

    async def _exposition(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._metrics.exposition(), headers={"Content-Type": self._metrics.content_type})

    async def _livez(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _request: web.Request) -> web.Response:
        if not await self._is_kafka_reachable():
            raise Refused(503, "kafka_unavailable", "No Kafka server accepts a connection.")
        return web.Response(text="ok\n")

    def _sender_of(self, request: web.Request) -> Sender:
        sender = self._authority.sender_of(request.headers.get("Authorization"))
        if sender is None:
            raise Refused(401, "unauthorized", "Send `Authorization: Bearer <token>` with a token of the tokens file.")
        self.connections.authenticated(request.transport)
        return sender

    def _count(self, sender: Sender, taken: BatchResult) -> None:
        self._metrics.events.labels(source=sender.source, outcome="accepted").inc(taken.accepted)
        self._metrics.events.labels(source=sender.source, outcome="rejected").inc(len(taken.rejected))
        for event in taken.rejected:
            self._metrics.rejected.labels(source=sender.source, reason=event.rejected.reason.value).inc()

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        started_s = time.perf_counter()
        self.connections.began(request.transport)
        request[REQUEST_ID] = request_id_of(request.headers.get(REQUEST_ID_HEADER))
        try:
            response, refused = await handler(request), None
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets the error body and nothing else
            refused = answers.refusal_of(error, request, server="The ingest")
            response = answers.error(refused)
        response.headers[REQUEST_ID_HEADER] = request[REQUEST_ID]
        self.connections.answered(request.transport)
        if request.path.startswith("/v1/"):
            self._metrics.requests.labels(code=str(response.status)).inc()
            self._metrics.duration.observe(time.perf_counter() - started_s)
            if refused:
                self._metrics.refused.labels(code=refused.code).inc()
        return response


def _log_rejected(taken: BatchResult, request: web.Request, sender: Sender) -> None:
    """Say which request had events that are dead letters now, which have its id, too."""
    if not taken.rejected:
        return
    reasons = Counter(event.rejected.reason.value for event in taken.rejected)
    fields = {
        "request_id": request[REQUEST_ID],
        "source": sender.source,
        "accepted": taken.accepted,
        "rejected": reasons.total(),
        "reasons": dict(reasons),
    }
    told = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    _log.warning("request %s of %s had rejected events: %s", request[REQUEST_ID], sender.source, told, extra=fields)
