"""One request and its answer: no redirect is followed here, and nothing is retried."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urljoin

import aiohttp
import can_ada
from yarl import URL

from flatline_connectors.fetching.addresses import ForbiddenAddress, MayConnect, guarded_connector
from flatline_connectors.fetching.bodies import ACCEPTED_ENCODINGS, decoded, read
from flatline_connectors.fetching.connections import (
    MESSAGE_BYTES_MAX,
    Connection,
    EventConnection,
    SocketConnection,
)
from flatline_connectors.fetching.outcomes import NO_VALIDATORS, Failed, Outcome, Validators, of_status
from flatline_connectors.fetching.timing import Timing

CONNECT_TIMEOUT_S: Final = 10.0
EVENT_STREAM: Final = "text/event-stream"
_GOODBYE_TIMEOUT_S: Final = 2.0
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_URL_CHARACTERS_MAX: Final = 4_096
_VALIDATOR_CHARACTERS_MAX: Final = 1_000
_RETRY_AFTER_MAX_S: Final = 86_400.0
_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_RESOLVER_FAILURES: Final = {socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_SYSTEM, socket.EAI_MEMORY}
"""What a resolver answers that does not know whether there is such a host."""


@dataclass(frozen=True)
class Target:
    """An address that can be asked: absolute, http or https, without credentials and fragment."""

    url: str
    host: str
    origin: str


def target_of(url: str, base: str | None = None) -> Target:
    """Parse an address as browsers do. Raise `Failed` (invalid_url) for one that is never asked."""
    if len(url) > _URL_CHARACTERS_MAX:
        raise Failed(Outcome.INVALID_URL, f"an address of more than {_URL_CHARACTERS_MAX:,} characters")
    try:
        parsed = can_ada.parse(urljoin(base, url) if base else url)
    except (ValueError, TypeError):
        raise Failed(Outcome.INVALID_URL, f"{url[:200]!r} is not an absolute URL") from None
    if parsed.protocol not in {"http:", "https:"}:
        raise Failed(Outcome.INVALID_URL, f"{url[:200]!r} is neither http nor https")
    if parsed.username or parsed.password:
        raise Failed(Outcome.INVALID_URL, f"the address on {parsed.hostname} holds credentials")
    parsed.hash = ""
    return Target(parsed.href, parsed.hostname, f"{parsed.protocol}//{parsed.host}")


@dataclass(frozen=True)
class ApiRequest:
    """What a request to an interface for programs carries.

    ``headers`` may hold credentials, so no redirect is followed. ``body``: JSON, which makes it a POST; None: a GET.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = None


@dataclass(frozen=True)
class Answer:
    """What a server said. ``location`` is set for redirects only, and then there is no body."""

    status: int
    location: str | None = None
    body: bytes = b""
    content_type: str = ""
    charset: str | None = None
    validators: Validators = NO_VALIDATORS
    headers: Mapping[str, str] = field(default_factory=dict)


class Exchange:
    """Asks servers, and listens to them, through connections that only go where they may."""

    def __init__(
        self,
        user_agent: str,
        timing: Timing,
        may_connect: MayConnect,
        resolver: aiohttp.abc.AbstractResolver | None,
        connect_timeout_s: float,
    ) -> None:
        self._timing = timing
        self._session = aiohttp.ClientSession(  # noqa: TID251 - the one place
            connector=guarded_connector(may_connect, resolver),
            headers={"User-Agent": user_agent, "Accept-Encoding": ACCEPTED_ENCODINGS},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,  # a proxy would connect for us, unguarded
            timeout=aiohttp.ClientTimeout(total=None, connect=connect_timeout_s),
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._session.close()

    async def ask(
        self,
        target: Target,
        *,
        accepted: frozenset[str] | None,
        bytes_max: int,
        timeout_s: float,
        validators: Validators | None = None,
        request: ApiRequest | None = None,
    ) -> Answer:
        """Return the answer with a page, a redirect, or a 304. Raise `Failed` for all others.

        ``accepted``: media types of pages that are wanted; None: any. ``request``: it is one to an interface, whose
        redirects are not followed, and whose errors have a body.
        """
        headers = {
            "If-None-Match": validators.etag if validators else "",
            "If-Modified-Since": validators.last_modified if validators else "",
        }
        headers = {name: value for name, value in headers.items() if value}
        if request is not None:
            headers |= request.headers
        body = request.body if request is not None else None
        async with _within(timeout_s, target), self._request(target, headers, body) as response:
            if request is not None and response.status in REDIRECTS:
                raise Failed(Outcome.REFUSED, "a redirect, which requests to interfaces don't follow")
            if request is not None and of_status(response.status) is not Outcome.FETCHED:
                said = await read(response.content.iter_any(), bytes_max=bytes_max)
                encoding = response.headers.get("Content-Encoding", "")
                raise self._refusal(response.status, response.headers, decoded(said, encoding, bytes_max=bytes_max))
            return await self._answer(response, accepted, bytes_max, may_be_unmodified=validators is not None)

    @asynccontextmanager
    async def events(self, target: Target, *, last_event_id: str, timeout_s: float) -> AsyncIterator[Connection]:
        """Open a stream of server-sent events. Raise `Failed`; ``timeout_s`` is for the head of the answer."""
        headers = {"Accept": EVENT_STREAM, "Accept-Encoding": "identity"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        async with AsyncExitStack() as stack:
            async with _within(timeout_s, target):
                response = await stack.enter_async_context(self._request(target, headers))
                self._check(response, frozenset({EVENT_STREAM}))
            yield EventConnection(response)

    @asynccontextmanager
    async def socket(self, target: Target, *, timeout_s: float) -> AsyncIterator[Connection]:
        """Open a websocket. Raise `Failed`; ``timeout_s`` is for the handshake."""
        opening = self._session.ws_connect(
            URL(target.url, encoded=True),
            max_msg_size=MESSAGE_BYTES_MAX,
            timeout=aiohttp.ClientWSTimeout(ws_close=_GOODBYE_TIMEOUT_S),
        )
        async with AsyncExitStack() as stack:
            async with _within(timeout_s, target):
                try:
                    with _failures(target):
                        socket = await stack.enter_async_context(opening)
                except aiohttp.WSServerHandshakeError as error:
                    raise self._refusal(error.status, error.headers or {}) from error
            yield SocketConnection(socket)

    @asynccontextmanager
    async def _request(
        self, target: Target, headers: Mapping[str, str], body: bytes | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        url = URL(target.url, encoded=True)
        method = "GET" if body is None else "POST"
        if body is not None:
            headers = {"Content-Type": "application/json", **headers}
        with _failures(target):
            async with self._session.request(
                method, url, headers=headers, data=body, allow_redirects=False
            ) as response:
                yield response

    async def _answer(
        self,
        response: aiohttp.ClientResponse,
        accepted: frozenset[str] | None,
        bytes_max: int,
        *,
        may_be_unmodified: bool,
    ) -> Answer:
        status = response.status
        if status in REDIRECTS and "Location" in response.headers:
            return Answer(status, location=response.headers["Location"])
        if of_status(status) is Outcome.NOT_MODIFIED and may_be_unmodified:
            return Answer(status)
        content_type = self._check(response, accepted)
        if (response.content_length or 0) > bytes_max:
            raise Failed(Outcome.TOO_LARGE, f"{response.content_length:,} bytes are announced", status=status)
        wire = await read(response.content.iter_any(), bytes_max=bytes_max)
        body = decoded(wire, response.headers.get("Content-Encoding", ""), bytes_max=bytes_max)
        return Answer(
            status,
            body=body,
            content_type=content_type,
            charset=response.charset,
            validators=Validators(
                _validator(response.headers.get("ETag", "")), _validator(response.headers.get("Last-Modified", ""))
            ),
            headers=response.headers,
        )

    def _check(self, response: aiohttp.ClientResponse, accepted: frozenset[str] | None) -> str:
        """Return the type of what comes. Raise `Failed` where that is not what was asked for."""
        status = response.status
        if of_status(status) is not Outcome.FETCHED:
            raise self._refusal(status, response.headers)
        content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if accepted is not None and content_type not in accepted:
            raise Failed(Outcome.WRONG_TYPE, f"Content-Type {content_type[:100]!r}", status=status)
        return content_type

    def _refusal(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> Failed:
        outcome = of_status(status)
        outcome = Outcome.BROKEN if outcome in {Outcome.NOT_MODIFIED, Outcome.FETCHED} else outcome
        retry_after_s = _retry_after_s(headers.get("Retry-After", ""), now_s=self._timing.now_s())
        return Failed(outcome, f"HTTP status {status}", status=status, retry_after_s=retry_after_s, body=body)


@asynccontextmanager
async def _within(timeout_s: float, target: Target) -> AsyncIterator[None]:
    """Raise `Failed` for what takes longer."""
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError as error:  # aiohttp's, of the connection, is one as well
        raise Failed(Outcome.TIMED_OUT, f"{target.host} did not answer in time") from error


@contextmanager
def _failures(target: Target) -> Iterator[None]:
    """Raise `Failed` for what aiohttp raises; TimeoutError and a refused handshake as they are."""
    try:
        yield
    except aiohttp.ClientConnectorDNSError as error:
        nobody_knows = error.os_error.errno in _RESOLVER_FAILURES
        raise _of_address(error, Outcome.UNREACHABLE if nobody_knows else Outcome.UNKNOWN_HOST) from error
    except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError, ssl.SSLError) as error:
        raise Failed(Outcome.TLS_FAILED, f"{target.host}: {error}") from error
    except aiohttp.ClientConnectorError as error:
        raise _of_address(error, Outcome.UNREACHABLE) from error
    except aiohttp.InvalidURL as error:
        raise Failed(Outcome.INVALID_URL, f"{target.url[:200]!r} can't be asked") from error
    except (TimeoutError, aiohttp.WSServerHandshakeError):
        raise
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise Failed(Outcome.BROKEN, f"{target.host}: {type(error).__name__}: {str(error)[:200]}") from error


def _of_address(error: aiohttp.ClientConnectorError, otherwise: Outcome) -> Failed:
    """Tell what was refused by us from what failed."""
    if isinstance(error.os_error, ForbiddenAddress):
        return Failed(Outcome.FORBIDDEN_ADDRESS, str(error.os_error))
    return Failed(otherwise, f"{error.host}: {error.os_error}")


def _validator(value: str) -> str:
    return value if len(value) <= _VALIDATOR_CHARACTERS_MAX else ""


def _retry_after_s(value: str, *, now_s: float) -> float | None:
    """Return what a Retry-After asks for (RFC 9110 §10.2.3), up to a day; None if it is neither of its two forms."""
    if _SECONDS.fullmatch(value):
        return min(float(value), _RETRY_AFTER_MAX_S)
    try:
        return min(max(0.0, parsedate_to_datetime(value).timestamp() - now_s), _RETRY_AFTER_MAX_S)
    except (ValueError, OverflowError):
        return None
