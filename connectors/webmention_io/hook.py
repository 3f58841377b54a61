"""The web hook of webmention.io: it says at once what was received, and it alone says what was deleted."""

import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from aiohttp import web

from flatline.schema import codec
from flatline.schema.rejection import Rejected
from flatline_connectors.errors import ConnectorError
from flatline_connectors.ingest import answers
from flatline_connectors.ingest.answers import Refused
from flatline_connectors.ingest.bodies import small_body
from flatline_connectors.sending import links
from flatline_connectors.sending.links import PreparedLink
from flatline_connectors.webmention_io.mentions import Wanted, event_of, read_notice

PATH: Final = "/webmention-io"
BODY_BYTES_MAX: Final = 256 * 1024
SECRET_CHARACTERS_MIN: Final = 8

Send = Callable[[PreparedLink], Awaitable[None]]
"""Sends a link and returns when Kafka has it. Raises `Refused`."""


class SecretError(ConnectorError):
    """The file with the secret of the web hook can't be used. The message names the file, and never what it holds."""

    remedy = "Write into it the secret that the settings of webmention.io show for the web hook."


def secret_of(file: Path) -> bytes:
    """Return the secret that a file holds. Raise `SecretError`."""
    try:
        secret = file.read_bytes().strip()
    except OSError as error:
        raise SecretError(f"{file} can't be read: {error.strerror}.") from None
    if len(secret) < SECRET_CHARACTERS_MIN:
        raise SecretError(f"{file} holds fewer than {SECRET_CHARACTERS_MIN} characters.")
    return secret


class WebHook:
    """Answers the service when Kafka has the event: whatever is answered otherwise, it may send again.

    ``now``  the time; ``counted`` is told what became of each notice
    """

    def __init__(
        self,
        secret: bytes,
        wanted: Wanted,
        *,
        send: Send,
        now: Callable[[], datetime],
        counted: Callable[[str], None],
    ) -> None:
        self._secret = secret
        self._wanted = wanted
        self._send = send
        self._now = now
        self._counted = counted

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.post(PATH, self._take)]

    async def _take(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            raise Refused(415, "unsupported_type", "Content-Type must be application/json.")
        body = await small_body(request, bytes_max=BODY_BYTES_MAX, what="A notice")
        try:
            notice = read_notice(body)
        except Rejected as rejected:
            self._counted("invalid")
            raise Refused(400, "invalid_notice", rejected.detail) from None
        if not hmac.compare_digest(notice.secret.encode(errors="surrogatepass"), self._secret):
            self._counted("refused")
            raise Refused(403, "wrong_secret", "The secret is not the one that was agreed on.")
        event = event_of(notice, self._wanted, now=self._now())
        if event is None:
            self._counted("ignored")
            return answers.plain(200, {"status": "ignored"})
        try:
            link = links.prepare(codec.links.encode(event))
        except Rejected as rejected:
            self._counted("invalid")
            raise Refused(422, "invalid_link", f"{rejected.reason}: {rejected.detail}") from None
        await self._send(link)
        outcome = "deleted" if notice.deleted else "taken"
        self._counted(outcome)
        return answers.plain(200, {"status": outcome})
