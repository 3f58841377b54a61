import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import orjson

TIMEOUT_S: Final = 5
Session = aiohttp.ClientSession  # noqa: TID251 - Prometheus and Alertmanager are the installation's own


class Unanswered(Exception):
    """A server gave no usable answer. The message continues "Prometheus at ... " and holds no secret."""


class Server:
    """An HTTP server that is perhaps not there, or there and silent: each question is answered within TIMEOUT_S.

    ``shown`` is its address without user and password.
    """

    def __init__(self, url: str, session: Session) -> None:
        self._url = url.rstrip("/")
        self._session = session
        parts = urlsplit(self._url)
        self.shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    async def text(self, path: str, parameters: Mapping[str, str | Sequence[str]] | None = None) -> str:
        """Return what it answers to GET. Raises Unanswered."""
        return await self._ask("GET", path, params=parameters)

    async def json(self, path: str, parameters: Mapping[str, str | Sequence[str]] | None = None) -> Any:
        """Return what it answers to GET, decoded. Raises Unanswered."""
        answer = await self.text(path, parameters)
        try:
            return orjson.loads(answer)
        except orjson.JSONDecodeError:
            raise Unanswered(f"does not answer {path} with JSON: is it another server?") from None

    async def post(self, path: str, body: Any) -> None:
        """Send JSON. Raises Unanswered unless it is taken."""
        await self._ask("POST", path, json=body)

    async def _ask(self, method: str, path: str, **how: Any) -> str:
        try:
            async with self._session.request(method, self._url + path, **how) as answer:
                said = await answer.text(errors="replace")
        except TimeoutError:
            raise Unanswered(f"is silent: no answer within {TIMEOUT_S} s") from None
        except aiohttp.ClientConnectorError as error:
            raise Unanswered(f"can't be reached: {error.os_error.strerror or error.os_error}") from None
        except aiohttp.ClientError as error:
            raise Unanswered(f"does not answer as an HTTP server does ({type(error).__name__})") from None
        if answer.status != HTTPStatus.OK:
            raise Unanswered(f"answers {path} with {answer.status}: {said[:200].strip()}")
        return said


@asynccontextmanager
async def session(tls: ssl.SSLContext | None = None) -> AsyncIterator[Session]:
    """Yield what Servers ask through; ``tls`` is whom it trusts, if not the system's authorities."""
    limit = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with Session(timeout=limit, connector=aiohttp.TCPConnector(limit_per_host=8, ssl=tls or True)) as opened:
        yield opened
