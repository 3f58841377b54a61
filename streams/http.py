"""What the worker answers over HTTP: /metrics, /livez, /readyz and /discovery."""

import ssl
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.aiohttp import make_aiohttp_handler

# Nothing that we serve is a page, so browsers are told to run, frame, guess and keep none of it. HSTS would be for all
# ports of the machine, and other servers there may speak plain HTTP.
SECURITY_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Server": "flatline",
    "X-Content-Type-Options": "nosniff",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def with_security_headers(app: web.Application) -> web.Application:
    """Have each answer of an application carry SECURITY_HEADERS, but for those that it has; return the application."""

    async def add(_request: web.Request, response: web.StreamResponse) -> None:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["Server"] = SECURITY_HEADERS["Server"]  # aiohttp has set its own

    app.on_response_prepare.append(add)
    return app


class Endpoint:
    """An HTTP server. ``not_live`` and ``not_ready`` return why not, or None; ``discovery`` answers Prometheus.

    With ``tls`` it speaks HTTPS only.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        registry: CollectorRegistry,
        not_live: Callable[[], str | None],
        not_ready: Callable[[], str | None],
        discovery: Handler,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        app = with_security_headers(web.Application())
        app.router.add_get("/metrics", make_aiohttp_handler(registry))
        app.router.add_get("/livez", _answer(not_live))
        app.router.add_get("/readyz", _answer(not_ready))
        app.router.add_get("/discovery", discovery)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Listen. Raises OSError when the address is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port, ssl_context=self._tls).start()

    async def stop(self) -> None:
        """Listen no more."""
        await self._runner.cleanup()


def _answer(why_not: Callable[[], str | None]) -> Handler:
    async def handler(_request: web.Request) -> web.StreamResponse:
        reason = why_not()
        return web.Response(text=f"{reason or 'ok'}\n", status=503 if reason else 200)

    return handler
