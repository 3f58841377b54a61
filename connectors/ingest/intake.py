"""Takes batches: each event to its article's partition or to the dead-letter topic, and an end when Kafka has all."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, Protocol, TypeVar

from connectors.delivery import Deliveries, DeliveryFailed
from connectors.ingest import parsing
from connectors.ingest.answers import Refused, RejectedEvent
from connectors.ingest.limits import Limits, TokenBucket
from connectors.producer import PATIENCE_S, KafkaUnavailable, Producer
from streams.schema.rejection import Rejected

T = TypeVar("T")
Prepared = TypeVar("Prepared")
Produced = TypeVar("Produced", covariant=True)  # noqa: PLC0105
Sent = TypeVar("Sent", contravariant=True)  # noqa: PLC0105

_log = logging.getLogger(__name__)

# Longer than a record may wait: what is not settled by then never will be.
SETTLED_WITHIN_S: Final = PATIENCE_S + 2
_RETRY_AFTER_S: Final = 5


class Prepare(Protocol[Produced]):
    """Checks one record. Raises `Rejected`."""

    def __call__(self, value: bytes, *, default_source: str | None) -> Produced:
        """Return it as it can be sent."""


class Send(Protocol[Sent]):
    """Sends one record that was checked."""

    def __call__(self, prepared: Sent, /, *, deliveries: Deliveries | None) -> None:
        """Send it; ``deliveries`` count it."""


class Batch:
    """The body of one request for records, and who sends it."""

    def __init__(self, body: bytes, *, content_type: str, encoding: str, source: str) -> None:
        self.body = body
        self.content_type = content_type
        self.encoding = encoding
        self.source = source


class Intake:
    """Sends what requests bring.

    All of it happens on one thread of its own, so that neither a large batch nor a full buffer holds up the event
    loop; only the waiting for Kafka is the loop's.
    """

    def __init__(self, producer: Producer, limits: Limits, *, now_s: Callable[[], float]) -> None:
        self._producer = producer
        self._limits = limits
        self._now_s = now_s
        self._buckets: dict[str, TokenBucket] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="intake")

    async def take(
        self, batch: Batch, prepare: Prepare[Prepared], send: Send[Prepared]
    ) -> tuple[int, list[RejectedEvent]]:
        """Return the number of accepted events, and the rejected ones, when Kafka has all of them. Raise `Refused`."""
        return await self.acknowledged(lambda deliveries: self._send(batch, prepare, send, deliveries))

    async def acknowledged(self, send: Callable[[Deliveries], T]) -> T:
        """Call ``send`` and return what it returns when Kafka has all that it sent. Raise `Refused`: 503."""
        loop = asyncio.get_running_loop()
        deliveries, settled = self._producer.new_deliveries(), loop.create_future()
        try:
            result = await loop.run_in_executor(self._thread, send, deliveries)
            deliveries.when_settled(partial(loop.call_soon_threadsafe, _finish, settled))
            async with asyncio.timeout(SETTLED_WITHIN_S):
                await settled
            deliveries.raise_failure()
        except (DeliveryFailed, KafkaUnavailable, TimeoutError) as error:
            _log.warning("A batch was not acknowledged: %s", str(error) or "Kafka said nothing about it")
            message = "Kafka has not acknowledged the batch. Send it again."
            raise Refused(503, "kafka_unavailable", message, retry_after_s=_RETRY_AFTER_S) from error
        return result

    def _send(
        self, batch: Batch, prepare: Prepare[Prepared], send: Send[Prepared], deliveries: Deliveries
    ) -> tuple[int, list[RejectedEvent]]:
        body = parsing.decompress(batch.body, encoding=batch.encoding, bytes_max=self._limits.body_bytes)
        events = parsing.split(body, content_type=batch.content_type, events_max=self._limits.batch_events)
        self._spend(batch.source, len(events))
        rejected = []
        for index, event in enumerate(events):
            try:
                prepared = prepare(event, default_source=batch.source)
            except Rejected as reason:
                rejected.append(RejectedEvent(index, reason))
                origin: dict[str, str | int] = {"source": batch.source, "http_index": index}
                self._producer.send_dead_letter(event, reason, origin=origin, deliveries=deliveries)
            else:
                send(prepared, deliveries=deliveries)
        return len(events) - len(rejected), rejected

    def _spend(self, source: str, count: int) -> None:
        bucket = self._buckets.setdefault(source, TokenBucket(rate_per_s=self._limits.events_per_s))
        wait_s = bucket.take(count, now_s=self._now_s())
        if wait_s:
            message = f"{source} may send {self._limits.events_per_s:,.0f} events/s. Slow down."
            raise Refused(429, "too_many_events_per_s", message, retry_after_s=wait_s)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()


def _finish(settled: asyncio.Future[None]) -> None:
    if not settled.done():
        settled.set_result(None)
