"""One run of one connector by itself: for `flatline connect once` and `check`."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from flatline.clock import clock_from
from flatline.connect.lending import Lender, fetcher_of
from flatline.connect.owning import RunnerMaker
from flatline.connect.saved import partition_of_connector, saved_records
from flatline.connect.saving import sole_writer
from flatline.kafka.permitted import asked
from flatline.readmodel.latest_sites import latest_sites
from flatline.schema.connector_record import ConnectorPosition, ConnectorStatus
from flatline.schema.rejection import Rejected
from flatline.schema.topics import Topics
from flatline.settings import Settings
from flatline_connectors.errors import ConnectorError
from flatline_connectors.runtime.connector import UnreadableRecord, nothing_spent
from flatline_connectors.runtime.cost import Priced, RunCost
from flatline_connectors.runtime.metrics import ConnectMetrics
from flatline_connectors.runtime.outbox import Found, Sent, prepared_record
from flatline_connectors.runtime.runner import Runner, RunTiming
from flatline_connectors.runtime.section import Section
from flatline_connectors.sending.producer import Producer


class AlreadyRunning(ConnectorError):
    """A process of `flatline connect run` runs the connectors: two at a time would send everything twice."""

    remedy = "Leave it to that process (`flatline connect list` shows the next run), or stop that process first."


def refuse_running(settings: Settings, topics: Topics) -> None:
    """Raise `AlreadyRunning` where the group that shares the connectors has members, and KafkaError."""
    with settings.cluster.admin() as admin:
        group = asked(lambda: admin.describe_groups([topics.connect_group]))[topics.connect_group]
    if members := group["members"]:
        hosts = ", ".join(sorted({str(member["client_host"]).lstrip("/") for member in members}))
        raise AlreadyRunning(f"`flatline connect run` is running (on {hosts}).")


async def run_once(
    settings: Settings, topics: Topics, section: Section, *, folder: Path, is_last: bool = False
) -> tuple[ConnectorStatus, Sent]:
    """Run a connector once, send what it finds, and save its position. Raise `ConnectorError` and KafkaError.

    ``is_last``: nobody will run it again by itself, so its source is not missed later.
    """
    cluster, now_ms = settings.cluster, clock_from(settings).now_ms
    metrics = ConnectMetrics(CollectorRegistry())
    sites = latest_sites(cluster, topics)
    with Producer(cluster, topics, now_ms=now_ms) as producer:
        async with (
            fetcher_of(settings, [section], sites) as fetcher,
            sole_writer(cluster, topics, partition_of_connector(section.name)) as (saving, saved),
        ):
            lender = Lender(settings, topics, folder=folder, fetcher=fetcher, sites=sites)
            runner = RunnerMaker(lender, producer, metrics)(section, saved, saving)
            await runner.run()
        if is_last and runner.status.seen_until is not None:
            producer.heartbeat(section.source, runner.status.seen_until)
    return runner.status, runner.sent


@dataclass
class DryRun:
    """What a connector would have sent: it keeps records and dead letters, and what would have been saved nowhere."""

    show: Callable[[Found, Rejected | None], None]
    now_ms: Callable[[], int]
    source: str

    async def send(self, records: Iterable[Found], *, spend_rows: Callable[[int], Awaitable[None]]) -> Sent:
        """Show records. Raise what reading them raises."""
        sent = Sent()
        for found in records:
            await spend_rows(1)
            try:
                if isinstance(found, UnreadableRecord):
                    raise found.rejected
                prepared_record(found, source=self.source, now_ms=self.now_ms())
            except Rejected as rejected:
                sent.rejected[rejected.reason] += 1
                self.show(found, rejected)
            else:
                sent.accepted[found.type] += 1
                self.show(found, None)
        return sent

    async def heartbeat(self, _seen_until: datetime, *, period_s: float, seen_from: datetime | None) -> None:
        """Claim nothing."""

    async def save_position(self, _records: Sequence[ConnectorPosition]) -> None:
        """Save nothing."""

    async def save_status(self, _status: ConnectorStatus) -> None:
        """Save nothing."""


def cost_of_run(settings: Settings, topics: Topics, section: Section, *, folder: Path) -> RunCost | None:
    """Return what a run of a connector costs; None: nothing. Nobody is asked. Raise `ConnectorError` and KafkaError."""
    sites = latest_sites(settings.cluster, topics)
    lender = Lender(settings, topics, folder=folder, fetcher=None, sites=sites)
    connector = section.kind.open(section.options, lender.to(section)(nothing_spent))
    return connector.cost_of_run() if isinstance(connector, Priced) else None


async def run_dry(
    settings: Settings,
    topics: Topics,
    section: Section,
    *,
    folder: Path,
    show: Callable[[Found, Rejected | None], None],
    polls_max: int | None = None,
) -> tuple[ConnectorStatus, Sent]:
    """Run a connector from its saved position, and change nothing in Kafka. Raise `ConnectorError` and KafkaError.

    ``show`` is called with each record, and why it would be a dead letter. ``polls_max``: end after so many polls.
    """
    cluster, now_ms = settings.cluster, clock_from(settings).now_ms
    saved, sites = saved_records(cluster, topics), latest_sites(cluster, topics)
    dry = DryRun(show, now_ms, section.source)
    async with fetcher_of(settings, [section], sites) as fetcher:
        runner: Runner[Any] = Runner(
            section,
            position=saved.position(section.name),
            status=saved.statuses.get(section.name),
            lend=Lender(settings, topics, folder=folder, fetcher=fetcher, sites=sites).to(section),
            outbox=dry,
            saving=dry,
            metrics=ConnectMetrics(CollectorRegistry()),
            timing=RunTiming(now_ms=now_ms, sleep=asyncio.sleep),
            polls_max=polls_max,
        )
        await runner.run()
    return runner.status, runner.sent
