"""Takes batches: each event to its topic or to the dead-letter topic, and an end when Kafka has all."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.ingest import parsing
from flatline_connectors.ingest.answers import Refused, RejectedEvent
from flatline_connectors.ingest.auth import Sender
from flatline_connectors.ingest.limits import Limits, TokenBucket
from flatline_connectors.sending.delivery import Deliveries, DeliveryFailed
from flatline_connectors.sending.links import PreparedLink
from flatline_connectors.sending.producer import KafkaUnavailable, Producer
from flatline_connectors.sending.settling import settled

T = TypeVar("T")

_log = logging.getLogger(__name__)

_RETRY_AFTER_S: Final = 5


class Send(Protocol):
    """Sends one prepared record; ``deliveries`` count it."""

    def __call__(self, prepared: Any, /, *, deliveries: Deliveries) -> None:
        """Send it."""


class RecordRoute(NamedTuple):
    """What becomes of the events that are pushed to one path.

    ``prepare``          checks the bytes of an event, which is of the given source unless it says otherwise, and
                         returns it with its ``key``, ``value`` and ``record``. Raises `Rejected`
    ``send``             sends what ``prepare`` returned
    ``is_sign_of_life``  whether an event says that its source is alive
    """

    prepare: Callable[[bytes, str], Any]
    send: Send
    is_sign_of_life: bool


@dataclass(frozen=True)
class Batch:
    """The body of one request for events, who sends it, and by what the log and dead letters name it."""

    body: bytes
    content_type: str
    encoding: str
    sender: Sender
    request_id: str


@dataclass
class BatchResult:
    """What became of a batch: ``sources`` are those of the accepted events."""

    accepted: int = 0
    rejected: list[RejectedEvent] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)


class BatchSender:
    """Sends what requests bring.

    All of it happens on one thread of its own, so that neither a large batch nor a full buffer holds up the event
    loop; only the waiting for Kafka is the loop's.
    """

    def __init__(self, producer: Producer, limits: Limits, *, now_s: Callable[[], float]) -> None:
        self._producer = producer
        self._limits = limits
        self._now_s = now_s
        self._events: dict[str, TokenBucket] = {}
        self._bytes: dict[str, TokenBucket] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="intake")

    async def take(self, batch: Batch, route: RecordRoute) -> BatchResult:
        """Return what became of a batch when Kafka has all of it. Raise `Refused`."""
        return await self.acknowledged(partial(self._send, batch, route))

    async def take_link(self, link: PreparedLink) -> None:
        """Return when Kafka has a link that nobody pushed. Raise `Refused`: 503."""
        await self.acknowledged(lambda deliveries: self._producer.send_link(link, deliveries=deliveries))

    async def acknowledged(self, send: Callable[[Deliveries], T]) -> T:
        """Call ``send`` and return what it returns when Kafka has all that it sent. Raise `Refused`: 503."""
        deliveries = self._producer.new_deliveries()
        try:
            result = await asyncio.get_running_loop().run_in_executor(self._thread, send, deliveries)
            await settled(deliveries)
        except (DeliveryFailed, KafkaUnavailable) as error:
            raise unacknowledged(error) from error
        return result

    def _send(self, batch: Batch, route: RecordRoute, deliveries: Deliveries) -> BatchResult:
        limits, source, taken = self._limits, batch.sender.source, BatchResult()
        body = parsing.decompress(batch.body, encoding=batch.encoding, bytes_max=limits.max_body_bytes)
        self._spend(self._bytes, source, len(body), rate_per_s=limits.max_bytes_per_s, unit="bytes")
        events = parsing.split(body, content_type=batch.content_type, events_max=limits.max_batch_events)
        self._spend(self._events, source, len(events), rate_per_s=limits.max_events_per_s, unit="events")
        for index, event in enumerate(events):
            try:
                prepared = route.prepare(event, source)
                _check_source(prepared.record.source, batch.sender)
            except Rejected as rejected:
                taken.rejected.append(RejectedEvent(index, rejected))
                origin: dict[str, str | int] = {"source": source, "request_id": batch.request_id, "http_index": index}
                self._producer.send_dead_letter(event, rejected, origin=origin, deliveries=deliveries)
            else:
                route.send(prepared, deliveries=deliveries)
                taken.accepted += 1
                taken.sources.add(prepared.record.source)
        return taken

    def _spend(self, buckets: dict[str, TokenBucket], source: str, count: int, *, rate_per_s: float, unit: str) -> None:
        bucket = buckets.setdefault(source, TokenBucket(rate_per_s=rate_per_s))
        wait_s = bucket.take(count, now_s=self._now_s())
        if wait_s:
            message = f"{source} may send {rate_per_s:,.0f} {unit}/s. Slow down."
            raise Refused(429, f"too_many_{unit}_per_s", message, retry_after_s=wait_s)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()


def unacknowledged(error: Exception) -> Refused:
    """Return the refusal of what Kafka may not have, and log why."""
    _log.warning("A batch was not acknowledged: %s", str(error) or "Kafka said nothing about it")
    message = "Kafka has not acknowledged the batch. Send it again."
    return Refused(503, "kafka_unavailable", message, retry_after_s=_RETRY_AFTER_S)


def _check_source(source: str, sender: Sender) -> None:
    if not sender.may_write_as(source):
        detail = f"source is {source}, and this token may write as {sender.shown} only (the tokens file grants more)"
        raise Rejected(Reason.FOREIGN_SOURCE, detail)
