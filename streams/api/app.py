"""The routes of `flatline serve`."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Final, Protocol

import msgspec
from aiohttp import web
from sqlalchemy import Connection

from flatline.api.access import BOUNDS, Access, Scope
from flatline.api.annotating import ANNOTATION, ANNOTATIONS, Annotating
from flatline.api.asking import Asking
from flatline.api.exports import CONTENT_TYPES, csv_head, csv_rows, ndjson_rows
from flatline.api.feed import FEEDS_MAX, News, feed
from flatline.api.metrics import ServeMetrics
from flatline.api.openapi import LIVE, description
from flatline.api.queries import NoQuery, query_of
from flatline.api.resending import RESEND, Resending
from flatline.api.routes import BOUNDED, ROUTES, Circumstances, Route
from flatline.api.silences import Silences
from flatline.api.snoozing import OF_ALERT, SNOOZE, SNOOZES, Snoozing
from flatline.api.writing import MARK, Writing
from flatline.http import with_security_headers
from flatline.readmodel.follower import Follower
from flatline.readmodel.queries.paging import ROWS_MAX
from flatline.readmodel.queries.precision import measured_precision
from flatline.readmodel.queries.publishers import turned_nofollow
from flatline.readmodel.queries.snoozes import SnoozeRow, list_snoozes
from flatline_connectors.ingest import answers
from flatline_connectors.ingest.answers import Refused
from flatline_connectors.ingest.connections import Connections
from flatline_connectors.sending.producer import Producer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_MEASURED_EVERY_S: Final = 60.0
_OPENAPI: Final = "/api/v1/openapi.json"
_READING: Final = ("GET", "HEAD")
_FOR_PROGRAMS: Final = frozenset({"/metrics", "/livez", "/readyz", "/discovery"})
_BOUNDED: Final = BOUNDED | {MARK, OF_ALERT, ANNOTATION, _OPENAPI}
_OUT_OF_BOUNDS: Final = (
    "A token that is bound to sites or owners is for articles, links and alerts: it reads them, registers and removes "
    "articles, annotates articles and sites, and marks and snoozes alerts."
)
_BEGUN: Final = web.RequestKey("is_begun", bool)


@dataclass(frozen=True)
class Limits:
    """Of connections. They are as the ingest's by default; the answers here are small, and no bodies come."""

    max_connections: int = 512
    header_timeout_s: float = 10
    idle_timeout_s: float = 75


class Pages(Protocol):
    """What people look at, beside the API. Some of it may be seen by anybody."""

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""

    def is_public(self, path: str) -> bool:
        """Whether anybody may see what is at a path, such as a login."""

    def refused(self, request: web.Request, status: int, message: str) -> web.Response:
        """Return a page that says why there is none."""


class Api:
    """Answers requests. `application` makes it an aiohttp application, `drain` brings it to an orderly end.

    ``at``         what queries go by, now
    ``discovery``  answers Prometheus, which asks where our processes are
    """

    name = "serve"
    title = "`flatline serve`"

    def __init__(
        self,
        follower: Follower,
        access: Access,
        metrics: ServeMetrics,
        news: News,
        *,
        at: Callable[[], Circumstances],
        discovery: Handler,
        wall_ms: Callable[[], int],
        producer: Producer | None = None,
        alertmanager_url: str | None = None,
    ) -> None:
        """Answer from what ``follower`` keeps. ``producer``: sends what is written; None where nobody may write.

        ``alertmanager_url``: of the Alertmanager that is told what is snoozed, and ``wall_ms`` the clock it goes by.
        """
        self._follower = follower
        self._access = access
        self._metrics = metrics
        self._news = news
        self._at = at
        self._discovery = discovery
        self._asking = Asking(follower)
        self._writing = Writing(producer, self._asking, access, now_ms=lambda: at().now_ms)
        self._snoozing = Snoozing(
            self._writing, self._asking, access, now_ms=wall_ms, has_alertmanager=alertmanager_url is not None
        )
        self._annotating = Annotating(self._writing, self._asking, access, now_ms=lambda: at().now_ms)
        self._resending = Resending(self._writing, self._asking, access, now_ms=lambda: at().now_ms)
        self._silences = None
        if alertmanager_url is not None:
            self._silences = Silences(alertmanager_url, self._current_snoozes, now_ms=wall_ms)
        self._reconciling: asyncio.Task[None] | None = None
        self._openapi = msgspec.json.encode(description())
        self._feeds = 0
        self._records = 0
        self._measured_again_s = 0.0
        self._pages: Pages | None = None
        self.connections = Connections(Limits(), metrics)

    @property
    def writing(self) -> Writing:
        """What takes what people say, for pages as for itself."""
        return self._writing

    @property
    def snoozing(self) -> Snoozing:
        """What takes snoozes, for pages as for itself."""
        return self._snoozing

    @property
    def annotating(self) -> Annotating:
        """What takes annotations, for pages as for itself."""
        return self._annotating

    @property
    def resending(self) -> Resending:
        """What sends dead letters again, for pages as for itself."""
        return self._resending

    @property
    def asking(self) -> Asking:
        """What asks the read model, for pages as for itself."""
        return self._asking

    def show(self, pages: Pages) -> None:
        """Answer with pages, too. To be said before `application`."""
        self._pages = pages

    def application(self) -> web.Application:
        """Return the application."""
        app = with_security_headers(web.Application(middlewares=[self._answer]))
        app.add_routes([web.get(route.path, self._handler(route)) for route in ROUTES])
        app.add_routes(
            [
                web.post("/api/v1/articles", _written(self._writing.register)),
                web.delete("/api/v1/article", _written(self._writing.remove)),
                web.post("/api/v1/moves", _written(self._writing.move)),
                web.post(MARK, _written(self._writing.mark)),
                web.post(RESEND, _written(self._resending.take)),
                web.post(SNOOZES, _written(self._snoozing.take)),
                web.post(OF_ALERT, _written(self._snoozing.take_of_alert)),
                web.delete(SNOOZE, _written(self._snoozing.take_end)),
                web.post(ANNOTATIONS, _written(self._annotating.take)),
                web.delete(ANNOTATION, _written(self._annotating.take_removal)),
                web.get(_OPENAPI, self._describe),
                web.get(LIVE, self._live),
                web.get("/metrics", self._exposition),
                web.get("/livez", self._livez),
                web.get("/readyz", self._readyz),
                web.get("/discovery", self._discovery),
            ]
        )
        if self._pages is not None:
            app.add_routes(self._pages.routes())
        app.on_startup.append(self._begin)
        app.on_response_prepare.append(_note_begin)
        app.on_cleanup.append(self._close)
        return app

    async def drain(self) -> None:
        """End the live feeds: all else ends by itself."""
        self._news.end()

    async def _begin(self, _app: web.Application) -> None:
        self._news.begin()
        if self._silences is not None:
            self._reconciling = asyncio.create_task(self._silences.run())

    async def _close(self, _app: web.Application) -> None:
        if self._reconciling is not None:
            self._reconciling.cancel()
            with suppress(asyncio.CancelledError):
                await self._reconciling
        self._asking.close()

    def _handler(self, route: Route[Any]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            query = query_of(request, route.query)
            at = self._at()._replace(bounds=request[BOUNDS])
            kind = getattr(query, "format", "json")
            if kind != "json":
                return await self._export(request, route, query, at)
            found = await self._asking.ask(_question(route, query, at))
            if found is None:
                raise Refused(404, "not_found", "There is no such thing.")
            return _json(request, msgspec.json.encode(found))

        return handle

    async def _export(
        self, request: web.Request, route: Route[Any], query: Any, at: Circumstances
    ) -> web.StreamResponse:
        """Answer with all pages, one after the other. A query that fails on the way breaks the answer off."""
        assert route.row is not None, "only lists have formats"
        is_csv, is_paged = query.format == "csv", hasattr(query, "cursor")
        query = msgspec.structs.replace(query, limit=ROWS_MAX) if is_paged else query
        page = await self._asking.ask(_question(route, query, at))
        name = f"flatline-{route.path.rpartition('/')[2]}.{query.format}"
        headers = {
            "Content-Type": CONTENT_TYPES[query.format],
            "Content-Disposition": f'attachment; filename="{name}"',
        }
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        if is_csv:
            await response.write(csv_head(route.row))
        while True:
            await response.write(csv_rows(page.rows) if is_csv else ndjson_rows(page.rows))
            if page.next is None:
                return response
            query = msgspec.structs.replace(query, cursor=page.next)
            page = await self._asking.ask(_question(route, query, at))

    async def _describe(self, request: web.Request) -> web.StreamResponse:
        query_of(request, NoQuery)
        return _json(request, self._openapi)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        query_of(request, NoQuery)
        if self._feeds >= FEEDS_MAX:
            raise Refused(503, "too_busy", "There are too many live feeds. Come back later.", retry_after_s=15)
        self._feeds += 1
        try:
            return await feed(request, self._asking, self._news)
        finally:
            self._feeds -= 1

    async def _exposition(self, _request: web.Request) -> web.Response:
        progress = self._follower.progress
        self._metrics.records.inc(progress.records - self._records)
        self._records = progress.records
        self._metrics.waiting.set(float("nan") if progress.waiting is None else progress.waiting)
        self._metrics.current.set(progress.is_current)
        self._metrics.writer.set(progress.is_writer)
        self._metrics.live_feeds.set(self._feeds)
        await self._measure()
        return web.Response(body=self._metrics.exposition(), headers={"Content-Type": self._metrics.content_type})

    async def _current_snoozes(self) -> Sequence[SnoozeRow]:
        """Return the snoozes. Raises `Refused` while the read model may not know all of them."""
        if not self._follower.progress.is_current:
            raise Refused(503, "not_ready", "The read model is being made.")
        return await self._asking.ask(list_snoozes)

    async def _measure(self) -> None:
        """Measure what changes little and takes a look at many rows: now and then."""
        if time.monotonic() < self._measured_again_s:
            return
        now_ms = self._at().now_ms
        with suppress(Refused):  # there is no read model yet, or it is busy
            self._metrics.show_precision(await self._asking.ask(partial(measured_precision, now_ms=now_ms)))
            self._metrics.show_turned(await self._asking.ask(partial(turned_nofollow, now_ms=now_ms)))
            self._measured_again_s = time.monotonic() + _MEASURED_EVERY_S

    async def _livez(self, _request: web.Request) -> web.Response:
        if self._follower.failure is not None:
            raise Refused(503, "failed", "The read model does not follow the topics any more: the log says why.")
        return web.Response(text="ok\n")

    async def _readyz(self, _request: web.Request) -> web.Response:
        progress = self._follower.progress
        if not progress.is_current:
            ahead = "it is not known how many" if progress.waiting is None else f"{progress.waiting:,}"
            message = f"The read model is being made; records ahead: {ahead}; done: {progress.records:,}."
            raise Refused(503, "not_ready", message, retry_after_s=2)
        return web.Response(text="ok\n")

    def _check(self, request: web.Request, scope: Scope, route: str) -> None:
        request[BOUNDS] = self._access.check(request, scope)
        if route not in _BOUNDED and request[BOUNDS] is not None:
            raise Refused(403, "forbidden", _OUT_OF_BOUNDS)

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        started_s = time.perf_counter()
        self.connections.began(request.transport)
        resource = request.match_info.route.resource
        route = "other" if resource is None else resource.canonical
        is_api = request.path.startswith("/api/")
        pages = None if is_api or request.path in _FOR_PROGRAMS else self._pages
        try:
            if is_api or (pages is not None and not pages.is_public(request.path)):
                # Pages check the forms that they receive themselves: a browser sends its cookie with any form.
                self._check(request, "read" if pages or request.method in _READING else "write", route)
                self.connections.authenticated(request.transport)
            response: web.StreamResponse = await handler(request)
        except Exception as error:
            if request.transport is None or _BEGUN in request:
                raise  # the head of the answer has gone out: the connection is broken off
            refusal = answers.refusal_of(error, request, server=self.title)
            response = answers.error(refusal) if pages is None else pages.refused(request, refusal.status, str(refusal))
        self.connections.answered(request.transport)
        if is_api:
            self._metrics.requests.labels(route=route, code=str(response.status)).inc()
            if isinstance(response, web.Response):
                self._metrics.duration.labels(route=route).observe(time.perf_counter() - started_s)
        return response


async def _note_begin(request: web.Request, _response: web.StreamResponse) -> None:
    """Note that the head of the answer is sent."""
    request[_BEGUN] = True


def _written(write: Callable[[web.Request], Awaitable[msgspec.Struct]]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(body=msgspec.json.encode(await write(request)), content_type="application/json")

    return handle


def _question(route: Route[Any], query: Any, at: Circumstances) -> Callable[[Connection], Any]:
    return lambda connection: route.ask(connection, query, at)


def _json(request: web.Request, body: bytes) -> web.Response:
    """Answer with JSON, or 304 to whoever has it. It is kept nowhere without being asked for again."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    known = [each.strip().removeprefix("W/") for each in request.headers.get("If-None-Match", "").split(",")]
    if tag in known or known == ["*"]:
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type="application/json", headers=headers)
