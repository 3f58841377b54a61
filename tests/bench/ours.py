"""Our worker: the real `flatline worker`, told what to do by its settings, and timed from outside."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flatline.core import Core
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.latest_verdicts import latest_verdicts
from tests.bench.broker import delete_group
from tests.bench.commits import follow, rates
from tests.bench.part import WrongResult
from tests.bench.run import Answer, Run, Totals
from tests.bench.worker import Worker
from tests.bench.workload import BEGIN, STEP

_JUDGED_WITHIN_S: Final = 600
_ASK_EVERY_S: Final = 1


@dataclass(frozen=True)
class Ours:
    """Us, as a `Peer`.

    ``under``: a command that runs the worker, such as a profiler. ``core``: what it reads links with.
    """

    name: str = "ours"
    title: str = "flatline worker"
    family: str = "ours"
    share: float = 1.0
    under: Sequence[str] = ()
    core: Core = Core.AUTO

    def run(self, run: Run, must_be: Totals) -> Answer:
        """Have a worker read the events to their end. Raises WrongResult and LaunchError.

        What changed last is judged with the commits after the last event, which aren't timed: no peer judges.
        """
        run.folder.mkdir(parents=True)
        worker = Worker(
            run.bootstrap,
            run.installation,
            run.folder,
            partitions=run.partitions,
            now=BEGIN + run.events * STEP,
            under=self.under,
            core=self.core,
        )
        try:
            with worker:
                seen = follow(worker, after=(0,) * run.partitions, until=run.events)
                found = _published(worker, must_be)
        finally:
            delete_group(run.bootstrap, run.installation)
        if found != must_be:
            raise WrongResult(f"{self.name} came to {found} instead of {must_be}")
        per_s, per_cpu_s = rates(seen, warm_up=run.warm_up)
        return Answer(per_s, 1e6 / per_cpu_s, found)


OURS: Final = Ours()


def _published(worker: Worker, must_be: Totals) -> Totals:
    """Read the result from where everybody reads it, the topic of verdicts, until it is what it must be."""
    give_up_at_s = time.monotonic() + _JUDGED_WITHIN_S
    while True:
        verdicts = latest_verdicts(KafkaCluster(worker.bootstrap), worker.topics.verdicts)
        found = Totals(
            links=sum(verdict.gained_total for verdict in verdicts),
            referring_domains=sum(verdict.referring_domains for verdict in verdicts),
            articles=len(verdicts),
        )
        if found == must_be or time.monotonic() > give_up_at_s:
            return found
        worker.check_runs()
        time.sleep(_ASK_EVERY_S)
