"""E-mail and a webhook, by the parts in examples.yml, on servers of this machine."""

import asyncio
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.controller import Controller

from flatline.local import programs
from flatline.local.ports import Ports
from tests.deploy.example_parts import merge, write_whole
from tests.deploy.talking import alert, talking
from tests.deploy.test_alerts import run
from tests.waiting import PATIENCE_S

EXAMPLE = "examples.yml"
HOSTILE = "<script>alert(1)</script>\nSubject: other"


def test_the_whole_is_valid(tmp_path: Path) -> None:
    """Alertmanager's own tool finds the file with the parts in it good."""
    file = write_whole(tmp_path, EXAMPLE)
    run(programs.AMTOOL.required(), "check-config", file)


class Mailbox:
    """Takes all mail."""

    def __init__(self) -> None:
        self.mails: asyncio.Queue[EmailMessage] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802
        """Take a mail; called on the server's own thread."""
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self._loop.call_soon_threadsafe(self.mails.put_nowait, mail)
        return "250 OK"


@pytest.fixture
async def hook() -> AsyncIterator[tuple[str, asyncio.Queue[dict[str, Any]]]]:
    """Return the address of a webhook, and what is posted there."""
    posts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        posts.put_nowait(await request.json())
        return web.Response()

    application = web.Application()
    application.router.add_post("/flatline", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}/flatline", posts
    await runner.cleanup()


@pytest.mark.servers
async def test_mail_and_webhook_get_theirs_and_slack_too(
    hook: tuple[str, asyncio.Queue[dict[str, Any]]], tmp_path: Path
) -> None:
    """Critical alerts go to the one on call, articles' to the webhook, both to Slack; what is foreign is escaped."""
    url, posts = hook
    mailbox, port = Mailbox(), Ports(tmp_path / "smtp.json").claim("smtp")
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()

    def change(configuration: dict[str, Any]) -> None:
        merge(configuration, EXAMPLE)
        configuration["global"] |= {"smtp_smarthost": f"127.0.0.1:{port}", "smtp_require_tls": False}
        for secret in ("smtp_auth_username", "smtp_auth_password_file"):
            configuration["global"].pop(secret)
        configuration["receivers"][-1]["webhook_configs"][0]["url"] = url
        for route in configuration["route"]["routes"][:2]:
            route["group_wait"] = "1s"

    try:
        async with talking(tmp_path, change=change) as talk:
            await talk.tell(alert("WorkerDown", HOSTILE, instance="w1"))
            mail = await asyncio.wait_for(mailbox.mails.get(), PATIENCE_S)
            assert mail["subject"] == "Flatline: A worker went down"
            assert mail["to"] == "on-call@yours.example"
            body = mail.get_body(("html",))
            assert body is not None
            assert "<script>" not in body.get_content()
            assert (await talk.received())["title"].startswith("A worker went down")

            await talk.tell(alert("WorkerDown", HOSTILE, instance="w1", over=True))
            mail = await asyncio.wait_for(mailbox.mails.get(), PATIENCE_S)
            assert mail["subject"] == "Flatline: over: A worker went down"
            await talk.received()

            await talk.tell(
                alert("ArticleSilent", "T", article="a/b", tier="1"), alert("ArticleUnseen", "U", article="c")
            )
            posted = await asyncio.wait_for(posts.get(), PATIENCE_S)
            assert [each["labels"]["article"] for each in posted["alerts"]] == ["a/b"]
            assert posted["alerts"][0]["annotations"]["page_url"] == "https://a/b"
            assert (await talk.received())["title"].startswith("An article stopped gaining links")
            assert mailbox.mails.empty()
    finally:
        controller.stop()
