import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from flatline.demo.slack_receiver import SlackReceiver, plain_text
from flatline.doctor.check_result import Sign
from flatline.doctor.http import Server, session
from flatline.doctor.send_alert import send_test_alert
from flatline.local.alertmanager import Alertmanager
from flatline.local.pace import Pace
from flatline.local.ports import Ports
from flatline.local.supervisor import Supervisor
from tests.waiting import PATIENCE_S

Running = Callable[[str | None], AbstractAsyncContextManager[Server]]
PAGE = "http://page.example"


@pytest.fixture
def running(tmp_path: Path) -> Running:
    """Return what starts a real Alertmanager with the project's configuration, quick, and with this webhook."""

    @asynccontextmanager
    async def alertmanager(webhook_url: str | None) -> AsyncIterator[Server]:
        webhook = tmp_path / "webhook"
        webhook.write_text(webhook_url or "")
        server = Alertmanager(tmp_path / "alertmanager", Ports(tmp_path / "ports.json"))
        process = server.process(slack_webhook_url_file=webhook if webhook_url else None, pace=Pace(86_400))
        with Supervisor(tmp_path / "logs", say=print) as supervisor:
            supervisor.start(process)
            async with session() as asking:
                yield Server(f"http://{server.address}", asking)

    return alertmanager


@asynccontextmanager
async def refusing(status: int) -> AsyncIterator[str]:
    """Run a webhook that always answers with this status; yield its URL."""

    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=status, text="no_service")

    application = web.Application()
    application.router.add_post("/services/SECRET", refuse)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/services/SECRET"
    finally:
        await runner.cleanup()


@pytest.mark.servers
async def test_the_alert_is_delivered_and_says_that_it_is_a_test(running: Running) -> None:
    """Slack gets it at once, also when another test was just before; it is over in Alertmanager afterwards."""
    async with SlackReceiver() as receiver, running(receiver.url) as server:
        arrivals = receiver.arrivals()
        for by in ("anna@desk", "ben@desk"):
            [found] = await send_test_alert(server, page_url=PAGE, by=by)
            assert found.sign == Sign.FINE, found.says
            assert found.says.startswith("slack-pipeline sent it by slack, which accepted it")
            # The second message says that it is over, and would be taken for that of the next test.
            began, ended = [plain_text(await asyncio.wait_for(anext(arrivals), PATIENCE_S)) for _ in range(2)]
            assert "A test of Flatline's alerts; nothing is wrong" in began
            assert by in began
            assert ended.startswith("Resolved: ")
        assert await server.json("/api/v2/alerts") == []
        assert receiver.violations == []


@pytest.mark.servers
@pytest.mark.parametrize("status", [404, 500])
async def test_a_webhook_that_refuses_is_found_out(running: Running, status: int) -> None:
    """Whether Alertmanager gives up (404) or tries again (500): it was not delivered. The URL is a secret."""
    async with refusing(status) as url, running(url) as server:
        [found] = await send_test_alert(server, page_url=PAGE)
        assert await server.json("/api/v2/alerts") == []
    assert found.sign == Sign.WRONG
    assert "slack-pipeline sent it by slack, which refused it" in found.says
    assert "SECRET" not in found.says


@pytest.mark.servers
async def test_without_a_webhook_it_stays_in_alertmanager(running: Running) -> None:
    """Nothing is waited for: the answer has the setting that mends it."""
    async with running(None) as server:
        [found] = await send_test_alert(server, page_url=PAGE)
        assert await server.json("/api/v2/alerts") == []
    assert found.sign == Sign.WRONG
    assert "slack-pipeline" in found.says
    assert "FLATLINE_SLACK_WEBHOOK_URL_FILE" in found.says


@pytest.mark.servers
async def test_a_silence_that_holds_it_back_is_named(running: Running) -> None:
    """Nobody looks for a mistake in the webhook that a silence has made."""
    async with SlackReceiver() as receiver, running(receiver.url) as server:
        now = datetime.now(UTC)
        await server.post(
            "/api/v2/silences",
            {
                "matchers": [{"name": "severity", "value": ".+", "isRegex": True}],
                "startsAt": now.isoformat(),
                "endsAt": (now + timedelta(hours=1)).isoformat(),
                "createdBy": "anna",
                "comment": "quiet, please",
            },
        )
        [silence] = await server.json("/api/v2/silences")
        [found] = await send_test_alert(server, page_url=PAGE)
        assert receiver.messages == []
    assert found.sign == Sign.WRONG
    assert silence["id"] in found.says


async def test_no_alertmanager_is_said(tmp_path: Path) -> None:
    """A port that nobody listens on is an answer, too."""
    port = Ports(tmp_path / "ports.json").claim("nobody")
    async with session() as asking:
        [found] = await send_test_alert(Server(f"http://user:secret@127.0.0.1:{port}", asking), page_url=PAGE)
    assert found.sign == Sign.WRONG
    assert f"http://127.0.0.1:{port} can't be reached" in found.says
    assert "secret" not in found.says
