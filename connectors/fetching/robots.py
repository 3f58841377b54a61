"""robots.txt (RFC 9309): one file an origin, remembered for a day."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from protego import Protego

from flatline_connectors.fetching.outcomes import Failed, Outcome
from flatline_connectors.fetching.pacing import PAUSE_S
from flatline_connectors.fetching.timing import Timing

PRODUCT_TOKEN: Final = "Flatline"  # noqa: S105 - the RFC's word for our name in these files
_REMEMBERED_S: Final = 86_400.0  # §2.4: at most a day
_UNREACHABLE_REMEMBERED_S: Final = 600.0
_REMEMBERED_ORIGINS: Final = 1_000

# §2.3.1.3: a file that is not there forbids nothing. 429 is no such answer: it says that the host is overloaded.
_ABSENT: Final = frozenset(
    {Outcome.GONE, Outcome.NOT_FOUND, Outcome.DENIED, Outcome.REFUSED, Outcome.TOO_MANY_REDIRECTS, Outcome.INVALID_URL}
)
_ABOUT_THE_HOST: Final = frozenset(
    {Outcome.FORBIDDEN_ADDRESS, Outcome.UNKNOWN_HOST, Outcome.UNREACHABLE, Outcome.TLS_FAILED, Outcome.TIMED_OUT}
)


@dataclass(frozen=True)
class Rules:
    """What an origin lets us fetch. ``failure``: why that is not known."""

    file: Protego | None = None
    failure: Failed | None = None

    def check(self, url: str) -> None:
        """Raise `Failed` if a URL of the origin may not be fetched."""
        if known := self.failure:
            raise Failed(known.outcome, known.detail, status=known.status, retry_after_s=known.retry_after_s)
        if self.file and not self.file.can_fetch(url, PRODUCT_TOKEN):
            raise Failed(Outcome.ROBOTS_DISALLOWED, f"robots.txt disallows {url[:200]}")

    @property
    def sitemaps(self) -> tuple[str, ...]:
        """Addresses of the sitemaps that it names."""
        return tuple(self.file.sitemaps) if self.file else ()

    @property
    def pause_s(self) -> float:
        """How long to leave the host alone after a request."""
        return (self.file and self.file.crawl_delay(PRODUCT_TOKEN)) or PAUSE_S


class _Known:
    """The rules of one origin, and until when they hold."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.rules = Rules()
        self.until_s = -math.inf


class RobotsFiles:
    """Fetches and remembers them."""

    def __init__(self, timing: Timing, fetch: Callable[[str], Awaitable[bytes]]) -> None:
        """``fetch`` returns the body at a URL, whatever its type, or raises `Failed`."""
        self._timing = timing
        self._fetch = fetch
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def rules(self, origin: str) -> Rules:
        """Return what holds for an origin (``https://host[:port]``)."""
        known = self._known.setdefault(origin, _Known())
        self._known.move_to_end(origin)
        if len(self._known) > _REMEMBERED_ORIGINS:
            self._known.popitem(last=False)
        async with known.lock:
            if known.until_s <= self._timing.monotonic_s():
                known.rules = await self._ask(origin)
                remembered_s = _UNREACHABLE_REMEMBERED_S if known.rules.failure else _REMEMBERED_S
                known.until_s = self._timing.monotonic_s() + remembered_s
            return known.rules

    async def _ask(self, origin: str) -> Rules:
        try:
            body = await self._fetch(f"{origin}/robots.txt")
        except Failed as failure:
            if failure.outcome in _ABSENT:
                return Rules()
            if failure.outcome in _ABOUT_THE_HOST:
                return Rules(failure=failure)
            return Rules(
                failure=Failed(
                    Outcome.ROBOTS_UNREACHABLE,
                    f"{origin}/robots.txt: {failure.detail}",
                    status=failure.status,
                    retry_after_s=failure.retry_after_s,
                )
            )
        return Rules(Protego.parse(body.decode("utf-8-sig", "replace")))
