"""Runs the connectors of one partition for as long as this process owns it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from aiokafka.errors import KafkaError

from flatline.connect.lending import Lender
from flatline.connect.saved import SavedRecords
from flatline.connect.saving import PartitionSaving, sole_writer
from flatline.domain.time import to_ms
from flatline.engine.log import FencedError
from flatline.kafka.cluster import KafkaCluster
from flatline.kafka.secret_file import CredentialError
from flatline.schema.connector_record import ConnectorStatus
from flatline.schema.topics import Topics
from flatline_connectors.runtime.config import duration_s
from flatline_connectors.runtime.metrics import ConnectMetrics
from flatline_connectors.runtime.outbox import KafkaOutbox
from flatline_connectors.runtime.runner import NotSaved, Runner, RunTiming
from flatline_connectors.runtime.schedule import latest_run_ms
from flatline_connectors.runtime.section import Section
from flatline_connectors.sending.producer import Producer

RETRY_S: Final = 2.0
# A clock that is turned by others has to be looked at.
_LOOK_EVERY_S: Final = 1.0

log = logging.getLogger("flatline.connect")

RunnerOf = Callable[[Section, SavedRecords, PartitionSaving], Runner[msgspec.Struct]]


class RunnerMaker:
    """Makes the runner of a connector from what is saved of it."""

    def __init__(self, lender: Lender, producer: Producer, metrics: ConnectMetrics) -> None:
        self._lender = lender
        self._producer = producer
        self._metrics = metrics

    def __call__(self, section: Section, saved: SavedRecords, saving: PartitionSaving) -> Runner[msgspec.Struct]:
        """Return it."""
        return Runner(
            section,
            position=saved.position(section.name),
            status=saved.statuses.get(section.name),
            lend=self._lender.to(section),
            outbox=KafkaOutbox(self._producer, connector=section.name, source=section.source),
            saving=saving,
            metrics=self._metrics,
            timing=RunTiming(now_ms=self._producer.now_ms, sleep=asyncio.sleep),
        )


class OwnedPartition:
    """The connectors of a partition: `run` has them run when they are due, until it is cancelled.

    ``trouble``  why they do not run at present; None if they do
    """

    trouble: str | None = None

    def __init__(
        self,
        partition: int,
        sections: Sequence[Section],
        *,
        cluster: KafkaCluster,
        topics: Topics,
        runner_of: RunnerOf,
        now_ms: Callable[[], int],
    ) -> None:
        self._partition = partition
        self._sections = sections
        self._cluster = cluster
        self._topics = topics
        self._runner_of = runner_of
        self._now_ms = now_ms
        self._resets: set[str] = set()
        self._again = asyncio.Event()

    def reset(self, connector: str) -> None:
        """Have a connector of this partition begin anew."""
        self._resets.add(connector)
        self._again.set()

    async def run(self) -> None:
        """Run them; whatever ends them is logged, and they begin again from what is saved."""
        while True:
            self._again.clear()
            try:
                async with asyncio.TaskGroup() as group:
                    owning = group.create_task(self._own())
                    group.create_task(self._end_on_reset(owning))
            except ExceptionGroup as errors:
                self.trouble = self._explained(_first(errors))
                await asyncio.sleep(RETRY_S)

    def _explained(self, error: Exception) -> str:
        """Log an error, and return what there is to say of it: that it ended all that runs here, for now."""
        what = f"the connectors of partition {self._partition}"
        if isinstance(error.__cause__, FencedError):
            # Either it is ours no longer, which the group will say in a moment, or somebody has run one by hand.
            log.info("another process has saved positions of %s", what)
        elif isinstance(error, NotSaved | KafkaError | CredentialError):
            log.warning("positions of %s can't be read or saved, trying again in %s s: %r", what, RETRY_S, error)
        else:
            log.error("%s ended, trying again in %s s", what, RETRY_S, exc_info=error)
        return f"{what} do not run: {type(error).__name__}"

    async def _end_on_reset(self, owning: "asyncio.Task[None]") -> None:
        await self._again.wait()
        owning.cancel()

    async def _own(self) -> None:
        async with sole_writer(self._cluster, self._topics, self._partition) as (saving, saved):
            for connector in self._resets:
                # Whatever was saved after the deletion was not: the first save overwrites it.
                saved.positions.pop(connector, None)
                if status := saved.statuses.get(connector):
                    saved.statuses[connector] = _due_now(status)
            self._resets.clear()
            self.trouble = None
            async with asyncio.TaskGroup() as group:
                for section in self._sections:
                    group.create_task(run_when_due(self._runner_of(section, saved, saving), self._now_ms))


async def run_when_due(
    runner: Runner[msgspec.Struct], now_ms: Callable[[], int], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Run a connector when it is due, until it is stopped. Raises what saving raises."""
    if runner.status.outcome == "stopped":
        runner.status = _due_now(runner.status)  # somebody has started this process again
    while runner.status.outcome != "stopped":
        while (wait_ms := _due_ms(runner) - now_ms()) > 0:
            await sleep(min(wait_ms / 1000, _LOOK_EVERY_S))
        await runner.run()


def _first(errors: ExceptionGroup[Exception]) -> Exception:
    """Return the error that ended all others."""
    error: Exception = errors
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _due_ms(runner: Runner[msgspec.Struct]) -> int:
    """Return when a connector runs next: earlier than was saved, where its section says so by now."""
    status = runner.status
    if status.next_run_at is None:
        return 0
    due_ms = to_ms(status.next_run_at)
    if status.outcome != "completed" or status.ran_at is None:
        return due_ms
    return min(due_ms, latest_run_ms(to_ms(status.ran_at), every_s=duration_s(runner.section.options.every)))


def _due_now(status: ConnectorStatus) -> ConnectorStatus:
    return msgspec.structs.replace(status, next_run_at=None, outcome=None, failures=0)
