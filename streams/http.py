"""What the worker answers over HTTP: /metrics, /livez, /readyz and /discovery."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.aiohttp import make_aiohttp_handler

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Endpoint:
    """An HTTP server. ``not_live`` and ``not_ready`` return why not, or None; ``discovery`` answers Prometheus."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        registry: CollectorRegistry,
        not_live: Callable[[], str | None],
        not_ready: Callable[[], str | None],
        discovery: Handler,
    ) -> None:
        self._host = host
        self._port = port
        app = web.Application()
        app.router.add_get("/metrics", make_aiohttp_handler(registry))
        app.router.add_get("/livez", _answer(not_live))
        app.router.add_get("/readyz", _answer(not_ready))
        app.router.add_get("/discovery", discovery)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Listen. Raises OSError when the address is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def stop(self) -> None:
        """Listen no more."""
        await self._runner.cleanup()


def _answer(why_not: Callable[[], str | None]) -> Handler:
    async def handler(_request: web.Request) -> web.StreamResponse:
        reason = why_not()
        return web.Response(text=f"{reason or 'ok'}\n", status=503 if reason else 200)

    return handler
