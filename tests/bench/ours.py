"""Our worker, as `flatline worker` runs it."""

import asyncio
import logging
import os
from datetime import UTC, datetime
from typing import Final

import streams.app
from deploy.kafka.topics import ensure_topics
from deploy.local.ports import Ports
from streams.agents.accumulate import Accumulate
from streams.engine.app import MicroBatchApp
from streams.engine.log import MicroBatch
from streams.engine.partition import Partition
from streams.readmodel.latest_verdicts import latest_verdicts
from streams.settings import Settings
from tests.bench.run import Run, Stopwatch, Totals, committed
from tests.bench.workload import BEGIN, STEP

SETTLED_AFTER_S: Final = 3


def main(run: Run) -> None:
    """Run the worker until everything is committed."""
    logging.basicConfig(level=logging.WARNING)
    ensure_topics(run.bootstrap, run.topics.all())
    streams.app.Topics = lambda **_namespace: run.topics  # type: ignore[attr-defined,assignment]
    assemble = streams.app.assemble

    def assemble_timed(settings: Settings) -> tuple[MicroBatchApp, streams.app.Background]:
        apps: list[MicroBatchApp] = []
        _time(apps, run)
        app, background = assemble(settings)
        apps.append(app)
        return app, background

    streams.app.assemble = assemble_timed
    settings = {
        "kafka_bootstrap": run.bootstrap,
        "namespace": run.namespace,
        "partitions": run.partitions,
        "worker_port": Ports(run.folder / "ports.json").claim("worker"),
        # Its clock starts at the end of the workload: verdicts say the same whenever this runs.
        "clock_origin": BEGIN + run.events * STEP,
        "clock_epoch": datetime.now(UTC),
        "clock_speed": 1.0,
    }
    streams.app.run_worker(Settings.model_validate(settings))


def _time(apps: list[MicroBatchApp], run: Run) -> None:
    """Have the stopwatch see what is applied, and end the process after the last commit."""
    stopwatch = Stopwatch(run)
    apply = Accumulate.apply
    tasks: list[asyncio.Future[None]] = []

    async def finish() -> None:
        await committed(apps[0], run)
        answer = stopwatch.stop()
        # What changed last is judged with the next commits, which aren't timed: no peer judges.
        published, before = _published(run), None
        while published != before:
            await asyncio.sleep(SETTLED_AFTER_S)
            published, before = _published(run), published
        answer(published).give(run)
        os._exit(0)

    def apply_timed(self: Accumulate, batch: MicroBatch, partition: Partition, *, now_ms: int) -> None:
        apply(self, batch, partition, now_ms=now_ms)
        if stopwatch.applied(len(batch.records)):
            tasks.append(asyncio.ensure_future(finish()))

    Accumulate.apply = apply_timed  # type: ignore[method-assign]


def _published(run: Run) -> Totals:
    """Read the result from where everybody reads it: the topic of verdicts."""
    verdicts = latest_verdicts(run.bootstrap, run.topics.verdicts)
    return Totals(
        links=sum(verdict.gained_total for verdict in verdicts),
        referring_domains=sum(verdict.referring_domains for verdict in verdicts),
        articles=len(verdicts),
    )


if __name__ == "__main__":
    main(Run.from_environment())
