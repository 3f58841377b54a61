"""`make profile`: where the worker's time goes on the benchmark's events, by samples of its stacks."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from deploy.local.stopping import until_stopped
from tests.bench import report, workload
from tests.bench.broker import fresh_kafka
from tests.bench.peer import OURS
from tests.bench.run import Run
from tests.bench.throughput import BUILT
from tests.bench.workload import Workload

EVENTS: Final = 1_000_000
SAMPLES_PER_S: Final = 200
FUNCTIONS_SHOWN: Final = 30

# The start, and the check of the result.
NOT_WORK: Final = ("<frozen importlib", "<module> (streams", "assemble_timed (", "ensure_topics (", "_published (")
# A sample belongs to the first of these that any frame of its stack is in.
GROUPS: Final = (
    ("commit: judging, encoding, writing", ("streams/engine/commit_guard.py", "aiokafka/producer/")),
    ("URLs", ("streams/domain/urls.py", "streams/domain/referrer.py")),
    ("decoding", ("streams/schema/",)),
    ("state: articles, links, days", ("streams/domain/", "streams/agents/")),
    ("fetching", ("aiokafka/", "faust/transport/", "streams/engine/micro_batch.py")),
    ("Faust, asyncio, the rest", ("",)),
)


def main() -> int:
    """Run the worker once under the sampler and print what it saw."""
    load = Workload(int(os.environ.get("EVENTS", EVENTS)))
    with until_stopped(), fresh_kafka() as (bootstrap, folder):
        must_be = asyncio.run(workload.fill(bootstrap, "profile.links", load))
        run = Run(
            bootstrap=bootstrap,
            topic="profile.links",
            partitions=load.partitions,
            events=load.events,
            warm_up=1,
            namespace="profile",
            folder=folder / "run",
        )
        stacks = folder / "stacks"
        sampled = OURS._replace(command=[*_sampler(stacks), *OURS.command])
        answer = sampled.run(run, must_be)
        report.say(f"{answer.events_per_s:,.0f} events/s while sampled")
        _show(stacks.read_text().splitlines())
        return 0
    return 130


def _sampler(stacks: Path) -> list[str]:
    py_spy = BUILT / "venv" / "bin" / "py-spy"
    options = ["--format", "raw", "--function", "--nonblocking", "--rate", str(SAMPLES_PER_S), "--output", str(stacks)]
    return [str(py_spy), "record", *options, "--"]


def _show(lines: list[str]) -> None:
    groups: Counter[str] = Counter({group: 0 for group, _ in GROUPS})
    functions: Counter[str] = Counter()
    for line in lines:
        stack, _, samples = line.rpartition(" ")
        if stack and not any(place in stack for place in NOT_WORK):
            groups[next(group for group, places in GROUPS if any(place in stack for place in places))] += int(samples)
            functions[stack.rpartition(";")[2]] += int(samples)
    _show_shares("where", groups.items(), groups.total())
    _show_shares("own time", functions.most_common(FUNCTIONS_SHOWN), functions.total())


def _show_shares(heading: str, counted: Iterable[tuple[str, int]], total: int) -> None:
    report.table((heading, "share"), ((name, f"{samples / total:.1%}") for name, samples in counted))


if __name__ == "__main__":
    sys.exit(main())
