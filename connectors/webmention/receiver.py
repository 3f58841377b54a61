"""Verifies what was received, one source after the other, and sends what was found."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from msgspec import structs

from flatline.domain.time import to_datetime
from flatline.schema import codec
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Rejected
from flatline_connectors.fetching.fetcher import Fetcher
from flatline_connectors.ingest.answers import Refused
from flatline_connectors.sending import links
from flatline_connectors.sending.links import PreparedLink
from flatline_connectors.webmention.links import ACCEPTED
from flatline_connectors.webmention.mentions import PENDING, Mention, Mentions, TooManyPending
from flatline_connectors.webmention.requests import Addresses
from flatline_connectors.webmention.verifying import Finding, Verification, loss_of, verify

SOURCE_BYTES_MAX: Final = 1024 * 1024
AT_A_TIME: Final = 4
RETRIES_MS: Final = (60_000, 600_000, 3_600_000, 21_600_000)
"""How long to wait after each fault that may pass; after the last one nobody asks any more."""
HEARTBEAT_PERIOD_S: Final = 3_600.0
_HEARTBEAT_EVERY_S: Final = 900.0
_KAFKA_AGAIN_MS: Final = 10_000
_LOOK_AGAIN_S: Final = 60.0

VERIFIED: Final = "verified"
DELETED: Final = "deleted"
REJECTED: Final = "rejected"
FAILED: Final = "failed"

Send = Callable[[PreparedLink], Awaitable[None]]
"""Sends a link and returns when Kafka has it. Raises `Refused`."""

_log = logging.getLogger(__name__)


class Receiver:
    """Receives mentions and verifies them.

    ``send``       as above
    ``say_alive``  sends a heartbeat that everything that was received until some time, in ms, is sent
    ``counted``    is told what became of each verification, and how many mentions wait
    """

    def __init__(
        self,
        mentions: Mentions,
        *,
        send: Send,
        say_alive: Callable[[int], Awaitable[None]],
        counted: Callable[[str, int], None],
        now_ms: Callable[[], int],
    ) -> None:
        self._mentions = mentions
        self._send = send
        self._say_alive = say_alive
        self._counted = counted
        self._now_ms = now_ms
        self._work = asyncio.Event()
        self._hosts: set[str] = set()  # of which a source is being fetched
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="webmention")

    def receive(self, addresses: Addresses) -> Mention:
        """Note a mention, which is then verified. Raise `TooManyPending`."""
        try:
            mention = self._mentions.receive(
                addresses.source, addresses.target, host=addresses.host, now_ms=self._now_ms()
            )
        except TooManyPending:
            self._count("refused")
            raise
        self._count("received")
        self._work.set()
        return mention

    def get(self, identifier: str) -> Mention | None:
        """Return the mention with this id."""
        return self._mentions.get(identifier)

    async def run(self, fetcher: Fetcher) -> None:
        """Verify what is due, until it is cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._say_alive_regularly())
                for _ in range(AT_A_TIME):
                    tasks.create_task(self._verify_all(fetcher))
        finally:
            self._thread.shutdown(wait=False)

    async def verify_due(self, fetcher: Fetcher) -> bool:
        """Verify the mention that is due for longest; return whether there was one."""
        mention = self._mentions.due(now_ms=self._now_ms(), hosts_except=self._hosts)
        if mention is None:
            return False
        self._hosts.add(mention.host)
        try:
            await self._verify(mention, fetcher)
        except Refused as refused:  # Kafka is not there: nothing is settled
            self._mentions.postpone(mention, due_ms=self._now_ms() + _KAFKA_AGAIN_MS, detail=str(refused))
        except Exception:  # noqa: BLE001 - a foreign page must not end the verification of all others
            _log.exception("A Webmention could not be verified; it is tried again")
            self._retry(mention, Verification(Finding.RETRY, "the verification failed"))
        finally:
            self._hosts.discard(mention.host)
            self._work.set()
        return True

    async def _verify_all(self, fetcher: Fetcher) -> None:
        while True:
            if not await self.verify_due(fetcher):
                self._work.clear()
                due_ms = self._mentions.next_due_ms()
                wait_s = _LOOK_AGAIN_S if due_ms is None else min(_LOOK_AGAIN_S, (due_ms - self._now_ms()) / 1_000)
                try:
                    async with asyncio.timeout(max(1.0, wait_s)):
                        await self._work.wait()
                except TimeoutError:
                    pass

    async def _verify(self, mention: Mention, fetcher: Fetcher) -> None:
        fetched = await fetcher.fetch(mention.source, accepted=ACCEPTED, bytes_max=SOURCE_BYTES_MAX)
        now = to_datetime(self._now_ms())
        # A large page takes a second to parse: the event loop has others to answer.
        look = partial(verify, fetched, target=mention.target, now=now)
        found = await asyncio.get_running_loop().run_in_executor(self._thread, look)
        known_from = mention.known_from
        match found.finding:
            case Finding.RETRY:
                self._retry(mention, found)
            case Finding.UNREADABLE:  # which says nothing of the link
                self._settle(mention, FAILED, found.detail, known_from)
            case Finding.LINKED:
                assert found.event is not None
                await self._send_found(mention, found, found.event)
            case Finding.NOT_LINKED | Finding.PAGE_GONE:
                if known_from is None:
                    self._settle(mention, REJECTED, found.detail, None)
                else:
                    await self._send(_prepared(loss_of(known_from, mention.target, found.finding, now=now)))
                    self._settle(mention, DELETED, found.detail, None)

    async def _send_found(self, mention: Mention, found: Verification, event: LinkEvent) -> None:
        try:
            link = _prepared(event)
        except Rejected as rejected:
            self._settle(mention, FAILED, f"the link can't be taken: {rejected}", mention.known_from)
            return
        if mention.known_from is not None and mention.known_from != event.url_from:
            # The page moved. The link that was known is the same one, and not lost.
            link = _prepared(structs.replace(event, url_from=mention.known_from))
        await self._send(link)
        self._settle(mention, VERIFIED, found.detail, link.record.url_from)

    def _retry(self, mention: Mention, found: Verification) -> None:
        if mention.attempts >= len(RETRIES_MS):
            self._settle(mention, FAILED, found.detail, mention.known_from)
            return
        wait_ms = max(RETRIES_MS[mention.attempts], round((found.retry_after_s or 0) * 1_000))
        self._mentions.postpone(mention, due_ms=self._now_ms() + wait_ms, detail=found.detail)
        self._count("postponed")

    def _settle(self, mention: Mention, status: str, detail: str, known_from: str | None) -> None:
        self._mentions.settle(mention, status=status, detail=detail, known_from=known_from, now_ms=self._now_ms())
        self._count(status)

    def _count(self, outcome: str) -> None:
        self._counted(outcome, self._mentions.pending())

    async def _say_alive_regularly(self) -> None:
        while True:
            oldest_ms = self._mentions.oldest_pending_ms()
            try:
                await self._say_alive(self._now_ms() if oldest_ms is None else oldest_ms)
            except Refused as refused:
                _log.warning("The heartbeat of the Webmention receiver was not sent: %s", refused)
            await asyncio.sleep(_HEARTBEAT_EVERY_S)


def _prepared(event: LinkEvent) -> PreparedLink:
    return links.prepare(codec.links.encode(event))


def status_of(mention: Mention) -> dict[str, str]:
    """Return what a sender may know of a mention."""
    is_pending = mention.due_ms is not None
    return {
        "status": PENDING if is_pending else mention.status,
        "detail": mention.detail or "the source was not fetched yet",
        "source": mention.source,
        "target": mention.target,
    }
