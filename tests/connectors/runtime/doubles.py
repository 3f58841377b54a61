"""What the runtime talks to, in memory: a Kafka that acknowledges, and a process that may die at any step."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from flatline.domain.time import to_ms
from flatline.schema import codec
from flatline.schema.connector_record import ConnectorPosition, ConnectorStatus
from flatline.schema.rejection import Rejected
from flatline_connectors.runtime.connector import FoundRecord, Resources, UnreadableRecord
from flatline_connectors.runtime.metrics import ConnectMetrics
from flatline_connectors.runtime.outbox import Found, Sent, prepared_record
from flatline_connectors.runtime.position_parts import joined
from flatline_connectors.runtime.runner import Runner, RunTiming
from flatline_connectors.runtime.section import Section

END = {"link": ("url_from", "url_to", "change"), "article": ("url",), "visits": ("url", "day", "domain")}


class Killed(BaseException):
    """The process is gone: nothing that follows in it is done."""


@dataclass
class Steps:
    """Counts what a process does, and has ``at_step`` end it, in whatever way, at one of these steps."""

    number: int = 0
    at_step: Callable[[int], None] = lambda _: None

    async def step(self) -> None:
        """Do a step: the process may end here."""
        self.number += 1
        self.at_step(self.number)
        await asyncio.sleep(0)  # where a cancelled task ends


@dataclass
class Kafka:
    """What outlives a process: records that were acknowledged, and what is saved, as bytes."""

    records: list[tuple[str, ...]] = field(default_factory=list)
    letters: list[UnreadableRecord] = field(default_factory=list)
    heartbeats: list[datetime] = field(default_factory=list)
    seen_from: datetime | None = None
    position: tuple[bytes, ...] = ()
    status: bytes | None = None


def name_of(found: FoundRecord) -> tuple[str, ...]:
    """Return what identifies a record, whatever else it says."""
    fields: dict[str, Any] = msgspec.json.decode(found.value)
    return (found.type, *(str(fields.get(name, "")) for name in END[found.type]))


def _position(kafka: Kafka) -> ConnectorPosition | None:
    records = [codec.connector_positions.decode(each) for each in kafka.position]
    return joined(records[0], records[1:]) if records else None


class Process:
    """One process that runs one connector, from what an earlier one has saved. It is the outbox and the saving, too."""

    def __init__(self, section: Section, kafka: Kafka, lend: Callable[[], Resources], *, now_ms: int) -> None:
        self.kafka = kafka
        self.now_ms = now_ms
        self.steps = Steps()
        self.pauses: list[float] = []
        self.registry = CollectorRegistry()
        self.runner: Runner[Any] = Runner(
            section,
            position=_position(kafka),
            status=codec.connector_statuses.decode(kafka.status) if kafka.status else None,
            lend=lambda spend: replace(lend(), spend=spend),
            outbox=self,
            saving=self,
            metrics=ConnectMetrics(self.registry),
            timing=RunTiming(now_ms=lambda: self.now_ms, sleep=self._sleep, random=lambda: 0.5),
        )

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def send(self, records: Iterable[Found], *, spend_rows: Callable[[int], Awaitable[None]]) -> Sent:
        """As of `flatline_connectors.runtime.outbox.Outbox`."""
        sent = Sent()
        await self.steps.step()
        for found in records:
            await spend_rows(1)
            await self.steps.step()
            try:
                if isinstance(found, UnreadableRecord):
                    raise found.rejected
                prepared_record(found, source="test", now_ms=self.now_ms)
            except Rejected as rejected:
                self.kafka.letters.append(UnreadableRecord(found.value, rejected, found.origin))
                sent.rejected[rejected.reason] += 1
            else:
                assert isinstance(found, FoundRecord)
                self.kafka.records.append(name_of(found))
                sent.accepted[found.type] += 1
            await self.steps.step()
        return sent

    async def heartbeat(self, seen_until: datetime, *, period_s: float, seen_from: datetime | None) -> None:
        """As of `flatline_connectors.runtime.outbox.Outbox`."""
        await self.steps.step()
        assert to_ms(seen_until) <= self.now_ms
        assert period_s > 0
        assert seen_from is None or seen_from < seen_until
        self.kafka.heartbeats.append(seen_until)
        self.kafka.seen_from = seen_from
        await self.steps.step()

    async def save_position(self, records: Sequence[ConnectorPosition]) -> None:
        """Acknowledge it, between two steps."""
        await self.steps.step()
        self.kafka.position = tuple(codec.connector_positions.encode(each) for each in records)
        await self.steps.step()

    async def save_status(self, status: ConnectorStatus) -> None:
        """Acknowledge it, between two steps."""
        await self.steps.step()
        self.kafka.status = codec.connector_statuses.encode(status)
        await self.steps.step()
