"""Our worker, as `flatline worker` runs it."""

import asyncio
import logging
import os
from datetime import UTC, datetime

from faust.types import TP

import streams.app
from deploy.local.ports import Ports
from streams.engine.app import MicroBatchApp
from streams.readmodel.latest_verdicts import latest_verdicts
from streams.settings import Settings
from tests.bench.run import Answer, Run, Stopwatch, committed
from tests.bench.workload import BEGIN, PARTITIONS, STEP, Totals


def main(run: Run) -> None:
    """Run the worker until everything is committed."""
    logging.basicConfig(level=logging.WARNING)
    assemble = streams.app.assemble

    def assemble_timed(settings: Settings) -> tuple[MicroBatchApp, streams.app.Background]:
        app, background = assemble(settings)
        _time(app, run)
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


def _time(app: MicroBatchApp, run: Run) -> None:
    """Have the stopwatch see what is applied, and end the process after the last commit."""
    stopwatch = Stopwatch(run.events)
    note_applied = app.guard.applied
    offsets: dict[TP, int] = {}
    tasks: list[asyncio.Future[None]] = []

    async def finish() -> None:
        await committed(app, run)
        Answer(stopwatch.stop(), _published(run)).give(run)
        os._exit(0)

    def applied(tp: TP, next_offset: int) -> None:
        note_applied(tp, next_offset)
        events, offsets[tp] = next_offset - offsets.get(tp, 0), next_offset
        if stopwatch.applied(events):
            tasks.append(asyncio.ensure_future(finish()))

    app.guard.applied = applied  # type: ignore[method-assign]


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
