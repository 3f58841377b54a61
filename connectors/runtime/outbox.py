"""What connectors find on its way to Kafka: checked, counted, and acknowledged."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final, Protocol

from flatline.schema.rejection import Rejected
from flatline_connectors.runtime.connector import FoundRecord, RecordType, UnreadableRecord
from flatline_connectors.sending import articles, links, visits
from flatline_connectors.sending.delivery import Deliveries
from flatline_connectors.sending.producer import Producer
from flatline_connectors.sending.settling import settled

_CHUNK_RECORDS: Final = 500

Found = FoundRecord | UnreadableRecord


@dataclass
class Sent:
    """How many records of each type Kafka has, and how many dead letters by reason."""

    accepted: Counter[RecordType] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)


class Outbox(Protocol):
    """Sends what one connector finds. Each call returns when Kafka has acknowledged all of it."""

    async def send(self, records: Iterable[Found], *, spend_rows: Callable[[int], Awaitable[None]]) -> Sent:
        """Send records, and what can't be read as dead letters. ``spend_rows`` is awaited before each part is sent.

        Raise what reading ``records`` raises, what ``spend_rows`` raises, and `DeliveryFailed`.
        """

    async def heartbeat(self, seen_until: datetime, *, period_s: float, seen_from: datetime | None) -> None:
        """Say how far was seen, and since when. Raise `DeliveryFailed`."""


class KafkaOutbox:
    """An `Outbox` with a producer that several connectors may share."""

    def __init__(self, producer: Producer, *, connector: str, source: str) -> None:
        """``source``: that of records that name none, and of heartbeats."""
        self._producer = producer
        self._connector = connector
        self._source = source

    async def send(self, records: Iterable[Found], *, spend_rows: Callable[[int], Awaitable[None]]) -> Sent:
        """As of `Outbox`."""
        rest, sent, deliveries = iter(records), Sent(), self._producer.new_deliveries()
        while chunk := await asyncio.to_thread(lambda: list(islice(rest, _CHUNK_RECORDS))):
            await spend_rows(len(chunk))
            await asyncio.to_thread(self._send, chunk, sent, deliveries)
        await settled(deliveries)
        return sent

    async def heartbeat(self, seen_until: datetime, *, period_s: float, seen_from: datetime | None) -> None:
        """As of `Outbox`."""
        deliveries = self._producer.new_deliveries()
        await asyncio.to_thread(
            self._producer.heartbeat,
            self._source,
            seen_until,
            period_s=period_s,
            seen_from=seen_from,
            deliveries=deliveries,
        )
        await settled(deliveries)

    def _send(self, chunk: list[Found], sent: Sent, deliveries: Deliveries) -> None:
        for found in chunk:
            try:
                if isinstance(found, UnreadableRecord):
                    raise found.rejected
                prepared = prepared_record(found, source=self._source, now_ms=self._producer.now_ms())
            except Rejected as rejected:
                sent.rejected[rejected.reason] += 1
                origin = {"connector": self._connector, **found.origin}
                self._producer.send_dead_letter(found.value, rejected, origin=origin, deliveries=deliveries)
            else:
                getattr(self._producer, _SENDERS[found.type])(prepared, deliveries=deliveries)
                sent.accepted[found.type] += 1


_SENDERS: Final[dict[RecordType, str]] = {"link": "send_link", "article": "send_article", "visits": "send_visits"}


def prepared_record(found: FoundRecord, *, source: str, now_ms: int) -> Any:
    """Return a record as it can be sent, with its ``key`` and ``value``. Raise `Rejected`."""
    match found.type:
        case "link":
            return links.prepare(found.value, default_source=source)
        case "article":
            return articles.prepare(found.value)
        case "visits":
            return visits.prepare(found.value, now_ms=now_ms, default_source=source)
