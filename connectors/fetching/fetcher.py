"""Fetches foreign pages. README.md says what it guards against."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from types import TracebackType
from typing import Final, Self

from aiohttp.abc import AbstractResolver

from flatline_connectors.fetching.addresses import MayConnect, is_public
from flatline_connectors.fetching.connections import Connection
from flatline_connectors.fetching.exchange import CONNECT_TIMEOUT_S, Answer, ApiRequest, Exchange, Target, target_of
from flatline_connectors.fetching.outcomes import Failed, Fetched, Outcome, Validators, of_status
from flatline_connectors.fetching.pacing import HostPacing
from flatline_connectors.fetching.robots import PRODUCT_TOKEN, RobotsFiles, Rules
from flatline_connectors.fetching.timing import Timing

HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
PAGE_BYTES_MAX: Final = 2 * 1024 * 1024
_OF_WEBSOCKET: Final = re.compile(r"^ws(?=s?://)", re.IGNORECASE)
_PERMANENT: Final = frozenset({301, 308})


@dataclass(frozen=True)
class Limits:
    """How far a fetch goes. ``total_s`` is what all requests of one fetch may take, waiting for a turn apart."""

    connect_s: float = CONNECT_TIMEOUT_S
    total_s: float = 20.0
    redirects: int = 20
    robots_redirects: int = 5  # RFC 9309 §2.3.1.2


_USUAL: Final = Limits()


def user_agent(contact: str) -> str:
    """Return the User-Agent that says who we are; ``contact`` is a URL or a mail address of whoever runs this."""
    return f"{PRODUCT_TOKEN}/{version('flatline')} (+{contact})"


class Fetcher:
    """Fetches foreign pages politely and safely. A context manager, for one event loop.

    ``may_connect``: which addresses may be connected to. ``resolver``: replaces the system's.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        limits: Limits = _USUAL,
        timing: Timing | None = None,
        may_connect: MayConnect = is_public,
        resolver: AbstractResolver | None = None,
    ) -> None:
        timing = timing or Timing()
        self._limits = limits
        self._exchange = Exchange(user_agent, timing, may_connect, resolver, limits.connect_s)
        self._pacing = HostPacing(timing)
        self._robots = RobotsFiles(timing, self._robots_file)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._exchange.close()

    async def fetch(
        self,
        url: str,
        *,
        accepted: frozenset[str] = HTML,
        bytes_max: int = PAGE_BYTES_MAX,
        validators: Validators | None = None,
        is_api: bool = False,
        request: ApiRequest | None = None,
    ) -> Fetched:
        """Return how the fetch of a URL ended: never raises for anything that a server, or the URL, may be like.

        ``accepted``: media types that are wanted. ``bytes_max`` holds on the wire and decoded. ``validators``: those of
        the version that is at hand; they are sent to the URL's own host only. ``is_api``: the URL is one of an
        interface that is documented for programs, and so robots.txt, which is for crawlers, is not asked on its host.
        ``request``: what goes to such an interface beside the URL; then no redirect is followed, and the body of an
        error is returned, too.
        """
        walk = _Walk(self._limits, url)
        try:
            answer = await self._follow(walk, accepted, bytes_max, validators, is_api=is_api, request=request)
        except Failed as failure:
            return Fetched(
                failure.outcome,
                walk.url,
                status=failure.status,
                retry_after_s=failure.retry_after_s,
                is_moved=walk.is_moved,
                detail=failure.detail,
                body=failure.body,
            )
        return Fetched(
            of_status(answer.status),
            walk.url,
            status=answer.status,
            body=answer.body,
            content_type=answer.content_type,
            charset=answer.charset,
            validators=answer.validators,
            is_moved=walk.is_moved,
            headers=answer.headers,
        )

    @asynccontextmanager
    async def events(self, url: str, *, last_event_id: str = "") -> AsyncIterator[Connection]:
        """Connect to a stream of server-sent events that is meant for programs. Raise `Failed`.

        ``last_event_id``: that of the last message that was seen. No redirect is followed.
        """
        target = target_of(url)
        opening = self._exchange.events(target, last_event_id=last_event_id, timeout_s=self._limits.total_s)
        async with self._connected(target, opening) as connection:
            yield connection

    @asynccontextmanager
    async def socket(self, url: str) -> AsyncIterator[Connection]:
        """Connect to a websocket that is meant for programs, by its http(s) or ws(s) address. Raise `Failed`."""
        target = target_of(_OF_WEBSOCKET.sub("http", url, count=1))
        async with self._connected(target, self._exchange.socket(target, timeout_s=self._limits.total_s)) as connection:
            yield connection

    @asynccontextmanager
    async def _connected(
        self, target: Target, opening: AbstractAsyncContextManager[Connection]
    ) -> AsyncIterator[Connection]:
        """Connect in turn; the host may be asked for others while the connection stands."""
        async with AsyncExitStack() as stack:
            async with self._pacing.turn(target.host):
                connection = await stack.enter_async_context(opening)
            yield connection

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """Return the sitemaps that the robots.txt of a URL's host names; none if there is no such file."""
        try:
            return (await self._robots.rules(target_of(url).origin)).sitemaps
        except Failed:
            return ()

    async def _follow(
        self,
        walk: "_Walk",
        accepted: frozenset[str],
        bytes_max: int,
        validators: Validators | None,
        *,
        is_api: bool,
        request: ApiRequest | None,
    ) -> Answer:
        target = walk.start()
        host = target.host
        while True:
            rules = (
                Rules()
                if (is_api or request is not None) and target.host == host
                else await self._robots.rules(target.origin)
            )
            rules.check(target.url)
            async with self._pacing.turn(target.host, pause_s=rules.pause_s):
                answer = await walk.ask(
                    self._exchange,
                    target,
                    accepted=accepted,
                    bytes_max=bytes_max,
                    validators=validators if target.host == host else None,
                    request=request,
                )
            if answer.location is None:
                return answer
            target = walk.redirected(target, answer, redirects_max=self._limits.redirects)

    async def _robots_file(self, url: str) -> bytes:
        walk = _Walk(self._limits, url)
        target = walk.start()
        while True:
            async with self._pacing.turn(target.host):
                answer = await walk.ask(
                    self._exchange, target, accepted=None, bytes_max=PAGE_BYTES_MAX, validators=None
                )
            if answer.location is None:
                return answer.body
            target = walk.redirected(target, answer, redirects_max=self._limits.robots_redirects)


class _Walk:
    """One fetch, from redirect to redirect: where it is, what time is left, and where it was."""

    def __init__(self, limits: Limits, url: str) -> None:
        self.url = url
        self.is_moved = False
        self._left_s = limits.total_s
        self._seen: set[str] = set()

    def start(self) -> Target:
        """Return the first address to ask."""
        return self._at(target_of(self.url))

    def redirected(self, target: Target, answer: Answer, *, redirects_max: int) -> Target:
        """Return where a redirect leads. Raise `Failed`."""
        assert answer.location is not None
        following = target_of(answer.location, target.url)
        if following.url in self._seen:
            raise Failed(Outcome.TOO_MANY_REDIRECTS, "redirects lead in a circle", status=answer.status)
        if len(self._seen) > redirects_max:
            raise Failed(Outcome.TOO_MANY_REDIRECTS, f"more than {redirects_max} redirects", status=answer.status)
        is_first = len(self._seen) == 1
        self.is_moved = answer.status in _PERMANENT and (is_first or self.is_moved)
        return self._at(following)

    async def ask(
        self,
        exchange: Exchange,
        target: Target,
        *,
        accepted: frozenset[str] | None,
        bytes_max: int,
        validators: Validators | None,
        request: ApiRequest | None = None,
    ) -> Answer:
        """Ask within the time that is left."""
        if self._left_s <= 0:
            raise Failed(Outcome.TIMED_OUT, "redirects took all the time")
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        try:
            return await exchange.ask(
                target,
                accepted=accepted,
                bytes_max=bytes_max,
                timeout_s=self._left_s,
                validators=validators,
                request=request,
            )
        finally:
            self._left_s -= loop.time() - started_s

    def _at(self, target: Target) -> Target:
        self._seen.add(target.url)
        self.url = target.url
        return target
