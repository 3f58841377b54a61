"""A receiver for tests: real servers of sources, a file of its own, and a Kafka that is a list."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from flatline.cli.link_files import is_on
from flatline.schema.link_event import LinkEvent
from flatline_connectors.fetching.fetcher import Fetcher
from flatline_connectors.ingest import answers
from flatline_connectors.ingest.answers import Refused
from flatline_connectors.sending.links import PreparedLink
from flatline_connectors.webmention.mentions import Mentions
from flatline_connectors.webmention.receiver import Receiver
from flatline_connectors.webmention.requests import FORM
from flatline_connectors.webmention.routes import WebmentionRoutes
from tests.connectors.fetching.hostile import Server, fetcher, may_connect, serving

NOW_MS = 1_796_040_000_000  # 2026-11-30T12:00:00Z
TARGET = "https://pub.example/guides/slow-tomatoes"
HTML = "Content-Type: text/html; charset=utf-8"


@dataclass
class Kafka:
    """Takes events, unless it is down."""

    events: list[LinkEvent] = field(default_factory=list)
    is_down: bool = False

    async def send(self, link: PreparedLink) -> None:
        """Take a link."""
        if self.is_down:
            raise Refused(503, "kafka_unavailable", "Kafka is down")
        self.events.append(link.record)


@dataclass
class Receiving:
    """A receiver, the server that its sources are on, and what it sent. ``now_ms`` moves only when a test says so."""

    server: Server
    folder: Path
    client: TestClient[Any, Any]
    receiver: Receiver
    mentions: Mentions
    fetching: Fetcher
    kafka: Kafka
    clock: list[int]

    async def post(self, body: str | bytes, content_type: str = FORM) -> tuple[int, Any, dict[str, str]]:
        """Send a form; return the status, the body and the headers of the answer."""
        async with self.client.post("/webmention", data=body, headers={"Content-Type": content_type}) as answer:
            return answer.status, await answer.json(), dict(answer.headers)

    async def mention(self, path: str = "/post", target: str = TARGET) -> str:
        """Send a mention of a source on the server, and return where its status is."""
        status, _, headers = await self.post(urlencode({"source": self.server.url(path), "target": target}))
        assert status == 201
        return headers["Location"]

    async def status(self, location: str) -> str:
        """Return what became of a mention."""
        async with self.client.get(location) as answer:
            assert answer.status == 200
            return str((await answer.json())["status"])

    async def verify(self) -> None:
        """Verify all that is due."""
        while await self.receiver.verify_due(self.fetching):
            pass

    async def see(self, path: str = "/post", target: str = TARGET) -> str:
        """Send a mention, verify it, and return its status."""
        self.clock[0] += 120_000
        location = await self.mention(path, target)
        await self.verify()
        return await self.status(location)


@asynccontextmanager
async def receiving(folder: Path) -> AsyncIterator[Receiving]:
    """Run a receiver for the block."""
    kafka, clock, mentions = Kafka(), [NOW_MS], Mentions(folder / "webmentions.sqlite")

    async def say_alive(_: int) -> None:
        pass

    receiver = Receiver(
        mentions, send=kafka.send, say_alive=say_alive, counted=lambda *_: None, now_ms=lambda: clock[0]
    )
    routes = WebmentionRoutes(receiver, is_ours=is_on(["pub.example"]), may_connect=may_connect)
    app = web.Application(middlewares=[_refusals])
    app.add_routes(routes.routes())
    async with serving() as server, TestClient(TestServer(app)) as client, fetcher() as fetching:
        yield Receiving(server, folder, client, receiver, mentions, fetching, kafka, clock)
    mentions.close()


@web.middleware
async def _refusals(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except Refused as refused:
        return answers.error(refused)
    return response
