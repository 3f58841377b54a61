"""The receiver of one ingest, put together: its file, its fetcher, its routes and its way to Kafka."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from flatline.domain.time import to_datetime
from flatline_connectors.fetching.addresses import MayConnect
from flatline_connectors.fetching.fetcher import Fetcher
from flatline_connectors.ingest.batches import BatchSender
from flatline_connectors.ingest.metrics import IngestMetrics
from flatline_connectors.sending.delivery import Deliveries
from flatline_connectors.sending.producer import Producer
from flatline_connectors.webmention.mentions import Mentions
from flatline_connectors.webmention.receiver import HEARTBEAT_PERIOD_S, Receiver
from flatline_connectors.webmention.routes import WebmentionRoutes
from flatline_connectors.webmention.verifying import SOURCE


@dataclass(frozen=True)
class WebmentionSettings:
    """How mentions are received.

    ``file``         where they are kept
    ``is_ours``      whether an address is on a site that receives them
    ``user_agent``   who asks sources; ``may_connect``: at which addresses
    """

    file: Path
    is_ours: Callable[[str], bool]
    user_agent: str
    may_connect: MayConnect


class WebmentionService:
    """Receives, verifies and sends. ``routes`` belong into the ingest's application."""

    def __init__(
        self, settings: WebmentionSettings, *, producer: Producer, batches: BatchSender, metrics: IngestMetrics
    ) -> None:
        """Open the file. Raise `flatline_connectors.webmention.mentions.MentionsError`."""
        self._settings = settings
        self._producer = producer
        self._batches = batches
        self._metrics = metrics
        self._mentions = Mentions(settings.file)
        self._receiver = Receiver(
            self._mentions,
            send=batches.take_link,
            say_alive=self._say_alive,
            counted=self._counted,
            now_ms=producer.now_ms,
        )
        self.routes: Sequence[web.RouteDef] = WebmentionRoutes(
            self._receiver, is_ours=settings.is_ours, may_connect=settings.may_connect
        ).routes()

    async def run(self) -> None:
        """Verify what is received, until this is cancelled."""
        try:
            async with Fetcher(self._settings.user_agent, may_connect=self._settings.may_connect) as fetcher:
                await self._receiver.run(fetcher)
        finally:
            self._batches.close()

    async def _say_alive(self, seen_until_ms: int) -> None:
        def send(deliveries: Deliveries) -> None:
            self._producer.heartbeat(
                SOURCE, to_datetime(seen_until_ms), period_s=HEARTBEAT_PERIOD_S, deliveries=deliveries
            )

        await self._batches.acknowledged(send)

    def _counted(self, outcome: str, pending: int) -> None:
        self._metrics.webmentions.labels(outcome=outcome).inc()
        self._metrics.webmentions_pending.set(pending)
