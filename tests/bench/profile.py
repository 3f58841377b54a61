"""`make profile`: where the worker's time goes on the benchmark's events, by samples of its stacks."""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from flatline.local.stopping import until_stopped
from tests.bench import report, workload
from tests.bench.broker import fresh_kafka
from tests.bench.ours import Ours
from tests.bench.part import setting
from tests.bench.run import Run
from tests.bench.workload import Workload
from tests.scripts import script

EVENTS: Final = 1_000_000
SAMPLES_PER_S: Final = 200
FUNCTIONS_SHOWN: Final = 30

# The start.
NOT_WORK: Final = ("<frozen importlib", "<module> (streams", "ensure_topics (")
# A sample belongs to the first of these that any frame of its stack is in.
GROUPS: Final = (
    (
        "commit: judging, encoding, writing",
        ("streams/engine/task.py", "streams/engine/kafka_log.py", "streams/agents/judge.py", "aiokafka/producer/"),
    ),
    ("URLs", ("streams/domain/urls/canonical.py", "streams/domain/urls/fingerprints.py")),
    ("decoding", ("streams/schema/",)),
    ("state: articles, links, days", ("streams/domain/", "streams/agents/")),
    ("fetching", ("aiokafka/", "faust/transport/", "streams/engine/micro_batch.py")),
    ("Faust, asyncio, the rest", ("",)),
)


def main() -> int:
    """Run the worker once under the sampler and print what it saw."""
    with until_stopped(), fresh_kafka() as (bootstrap, folder):
        _show(sample(bootstrap, folder, events=setting("EVENTS", EVENTS)))
        return 0
    return 130


def sample(bootstrap: str, folder: Path, *, events: int) -> list[str]:
    """Run the worker once under the sampler; return each stack that it saw, and how often. Raises WrongResult."""
    load = Workload(events)
    must_be = asyncio.run(workload.fill(bootstrap, "profile", load))
    run = Run(
        bootstrap=bootstrap,
        installation="profile",
        partitions=load.partitions,
        events=load.events,
        warm_up=1,
        namespace="profile",
        folder=folder / "run",
    )
    stacks = folder / "stacks"
    answer = Ours(under=_sampler(stacks)).run(run, must_be)
    report.say(f"{answer.events_per_s:,.0f} events/s while sampled")
    return stacks.read_text().splitlines()


def _sampler(stacks: Path) -> list[str]:
    options = ["--format", "raw", "--function", "--nonblocking", "--rate", str(SAMPLES_PER_S), "--output", str(stacks)]
    return [script("py-spy"), "record", *options, "--"]


def _show(lines: list[str]) -> None:
    groups, functions = shares(lines)
    _show_shares("where", groups.items(), groups.total())
    _show_shares("own time", functions.most_common(FUNCTIONS_SHOWN), functions.total())


def shares(lines: list[str]) -> tuple[Counter[str], Counter[str]]:
    """Return the samples of work by group, and by function."""
    groups: Counter[str] = Counter({group: 0 for group, _ in GROUPS})
    functions: Counter[str] = Counter()
    for line in lines:
        stack, _, samples = line.rpartition(" ")
        if stack and not any(place in stack for place in NOT_WORK):
            groups[next(group for group, places in GROUPS if any(place in stack for place in places))] += int(samples)
            functions[stack.rpartition(";")[2]] += int(samples)
    return groups, functions


def _show_shares(heading: str, counted: Iterable[tuple[str, int]], total: int) -> None:
    report.table((heading, "share"), ((name, f"{samples / total:.1%}") for name, samples in counted))


if __name__ == "__main__":
    sys.exit(main())
