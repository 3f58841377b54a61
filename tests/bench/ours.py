"""Our worker, as `flatline worker` runs it."""

import asyncio
import logging
import os
from datetime import UTC, datetime
from time import monotonic

import streams.app
from deploy.local.ports import Ports
from streams.agents.accumulate import Accumulate
from streams.engine.app import MicroBatchApp
from streams.engine.micro_batch import MicroBatch
from streams.engine.partition import Partition
from streams.readmodel.latest_verdicts import latest_verdicts
from streams.settings import Settings
from tests.bench.run import Answer, Run, Stopwatch, committed
from tests.bench.workload import BEGIN, PARTITIONS, STEP, Totals, expected

VERDICTS_WITHIN_S = 60


def main(run: Run) -> None:
    """Run the worker until everything is committed."""
    logging.basicConfig(level=logging.WARNING)
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
        "partitions": PARTITIONS,
        "worker_port": Ports(run.folder / "ports.json").claim("worker"),
        # Its clock starts at the end of the workload: verdicts say the same whenever this runs.
        "clock_origin": BEGIN + run.events * STEP,
        "clock_epoch": datetime.now(UTC),
        "clock_speed": 1.0,
    }
    streams.app.run_worker(Settings.model_validate(settings))


def _time(apps: list[MicroBatchApp], run: Run) -> None:
    """Have the stopwatch see what is applied, and end the process after the last commit."""
    stopwatch = Stopwatch(run.events)
    apply = Accumulate.apply
    tasks: list[asyncio.Future[None]] = []

    async def finish() -> None:
        await committed(apps[0], run)
        rate, published = stopwatch.stop(), _published(run)
        give_up_at_s = monotonic() + VERDICTS_WITHIN_S
        while published != expected(run.events) and monotonic() < give_up_at_s:
            await asyncio.sleep(1)
            published = _published(run)
        Answer(rate, published).give(run)
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
