"""The web hook of webmention.io, as the service asks it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from flatline.schema.link_event import LinkEvent
from flatline_connectors.ingest import answers
from flatline_connectors.ingest.answers import Refused, refusal_of
from flatline_connectors.sending.links import PreparedLink
from flatline_connectors.sites import on_sites
from flatline_connectors.webmention_io.hook import BODY_BYTES_MAX, PATH, SecretError, WebHook, secret_of
from flatline_connectors.webmention_io.mentions import Wanted

SECRET = "a long secret: ü"
NOW = datetime(2026, 11, 27, tzinfo=UTC)
TARGET = "https://pub.example/a"


class Service:
    """webmention.io, and what its notices led to."""

    def __init__(self) -> None:
        self.sent: list[LinkEvent] = []
        self.outcomes: list[str] = []
        self.is_kafka_there = True

    async def send(self, link: PreparedLink) -> None:
        """Take a link, as Kafka would."""
        if not self.is_kafka_there:
            raise Refused(503, "kafka_unavailable", "Kafka is not there.")
        self.sent.append(link.record)

    async def notify(self, **fields: object) -> tuple[int, dict[str, object]]:
        """Send a notice, and return the answer."""
        notice = {"secret": SECRET, "source": "https://a.example/", "target": TARGET, "private": False} | fields
        return await self.post(msgspec.json.encode(notice))

    async def post(self, body: bytes, content_type: str = "application/json") -> tuple[int, dict[str, object]]:
        """Send a body, and return the answer."""
        hook = WebHook(
            SECRET.encode(),
            Wanted(on_sites(["pub.example"])),
            send=self.send,
            now=lambda: NOW,
            counted=self.outcomes.append,
        )
        app = web.Application(middlewares=[_refusing])
        app.add_routes(hook.routes())
        async with TestClient(TestServer(app)) as client:
            answer = await client.post(PATH, data=body, headers={"Content-Type": content_type})
            return answer.status, await answer.json()


@web.middleware
async def _refusing(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refused as refused:
        return answers.error(refusal_of(refused, request, server="The test"))


async def test_a_mention_and_its_end() -> None:
    """A mention becomes a link with what the service says of its page, and its deletion a loss."""
    service = Service()
    post = {
        "type": "entry",
        "author": {"name": "Rui"},
        "name": "T",
        "published": "2026-11-26",
        "wm-property": "like-of",
    }
    assert await service.notify(post=post) == (200, {"status": "taken"})
    assert await service.notify(deleted=True) == (200, {"status": "deleted"})
    gained, lost = service.sent
    assert (gained.change, gained.discovery, gained.url_to, gained.source) == (
        "gained",
        "link_found",
        TARGET,
        "webmention.io",
    )
    assert gained.page
    assert (gained.page.author, gained.page.type, gained.occurred_at) == (
        "Rui",
        "like-of",
        datetime(2026, 11, 26, tzinfo=UTC),
    )
    assert (lost.change, lost.lost_reason, lost.url_from, lost.observed_at) == (
        "lost",
        "removed",
        "https://a.example/",
        NOW,
    )
    assert service.outcomes == ["taken", "deleted"]


@pytest.mark.parametrize(
    "fields",
    [
        {"private": True},
        {"target": "https://other.example/"},
        {"deleted": True, "source": "https://brid.gy/like/1"},
    ],
)
async def test_what_does_not_count_is_ignored(fields: dict[str, object]) -> None:
    """The service gets its answer, so that it does not send it again."""
    service = Service()
    assert await service.notify(**fields) == (200, {"status": "ignored"})
    assert (service.sent, service.outcomes) == ([], ["ignored"])


@pytest.mark.parametrize("secret", ["", SECRET[:-1], SECRET + "x", "A" * len(SECRET), "\ud800"])
async def test_another_secret_sends_nothing(secret: str) -> None:
    """Whoever does not know the secret learns nothing, and changes nothing."""
    service = Service()
    body = msgspec.json.encode({"secret": "?", "source": "https://a.example/", "target": TARGET})
    escaped = "".join(f"\\u{ord(character):04x}" for character in secret)
    status, answer = await service.post(body.replace(b'"?"', f'"{escaped}"'.encode()))
    assert status in {400, 403}
    assert SECRET not in str(answer)
    assert service.sent == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 400),
        (b"secret=x", "application/x-www-form-urlencoded", 415),
        (b'{"secret": "' + b"x" * BODY_BYTES_MAX + b'"}', "application/json", 413),
    ],
)
async def test_bodies_that_are_no_notice(body: bytes, content_type: str, status: int) -> None:
    """They are refused with the reason."""
    service = Service()
    assert (await service.post(body, content_type))[0] == status
    assert service.sent == []


async def test_an_address_that_is_none() -> None:
    """A notice whose link can't be taken is refused."""
    service = Service()
    assert (await service.notify(source="ftp://a.example/"))[0] == 422
    assert service.outcomes == ["invalid"]


async def test_without_kafka_the_service_is_to_send_it_again() -> None:
    """Nothing is answered with success that Kafka does not have."""
    service = Service()
    service.is_kafka_there = False
    assert (await service.notify())[0] == 503
    assert service.outcomes == []


def test_files_with_secrets(tmp_path: Path) -> None:
    """A file that is not there, or holds next to nothing, is an error that does not quote it."""
    file = tmp_path / "secret"
    with pytest.raises(SecretError, match="can't be read"):
        secret_of(file)
    file.write_text("short\n")
    with pytest.raises(SecretError) as refused:
        secret_of(file)
    assert "short" not in str(refused.value)
    file.write_text(f" {SECRET}\n")
    assert secret_of(file) == SECRET.encode()
