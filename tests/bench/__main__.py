"""`make bench`: every peer on the same events, one process at a time, and how we compare. README.md says the rules."""

import asyncio
import logging
import os
import sys
import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from deploy.local.errors import LaunchError
from deploy.local.kafka import Kafka
from deploy.local.ports import Ports
from deploy.local.processes import Child, Process
from deploy.local.stopping import until_stopped
from deploy.local.supervisor import Supervisor
from streams.settings import PREFIX
from tests.bench import workload
from tests.bench.report import report, say
from tests.bench.run import Answer, Run

EVENTS: Final = 300_000
REPEATS: Final = 3
PATIENCE_S: Final = 120
SLOW_SHARE: Final = 15  # a slow peer gets every such part of the events
SLOW_EVENTS_MIN: Final = 5_000


class Peer(NamedTuple):
    """Somebody who does the job, as a command that reads its `Run` from the environment and leaves an `Answer`."""

    name: str
    title: str
    command: list[str]
    is_slow: bool = False


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]


PEERS: Final = (
    Peer("ours", "flatline worker", _python("tests.bench.ours")),
    Peer("ceiling", "aiokafka, decoding only", _python("tests.bench.peers.ceiling")),
    Peer("faust", "stock Faust, Table in memory", _python("tests.bench.peers.faust_table"), is_slow=True),
)


class WrongAnswer(Exception):
    """A peer came to another result than it must. How fast it did so is of no interest."""


def main() -> int:
    """Run all peers; return the exit code."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    # It warns of every retry; what finally fails is raised.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    events, repeats = int(os.environ.get("EVENTS", EVENTS)), int(os.environ.get("REPEATS", REPEATS))
    with until_stopped(), TemporaryDirectory(prefix="flatline-bench-") as temporary:
        folder = Path(temporary)
        try:
            with Supervisor(folder / "logs", say=say) as supervisor:
                kafka = Kafka(folder / "kafka", Ports(folder / "ports.json"))
                supervisor.start(kafka.process())
                rates = measure(kafka.bootstrap, folder, events=events, repeats=repeats)
        except (LaunchError, WrongAnswer) as error:
            say(str(error))
            return 1
        report(rates, titles={peer.name: peer.title for peer in PEERS}, events=events)
        return 0
    return 130


def measure(bootstrap: str, folder: Path, *, events: int, repeats: int) -> dict[str, list[float]]:
    """Return each peer's events per second in every repeat. Raises WrongAnswer, and LaunchError for one that failed.

    Peers take turns, so that a machine that gets slower gets slower for all of them.
    """
    rates: defaultdict[str, list[float]] = defaultdict(list)
    fewer = max(SLOW_EVENTS_MIN, events // SLOW_SHARE)
    asyncio.run(workload.fill(bootstrap, "slow", fewer))
    for repeat in range(1, repeats + 1):
        say(f"round {repeat} of {repeats}: writing {events:,} events")
        # Our group and our state carry the topics' prefix: each round has topics of its own, with the same records.
        asyncio.run(workload.fill(bootstrap, f"round-{repeat}", events))
        for peer in PEERS:
            namespace, count = ("slow", fewer) if peer.is_slow else (f"round-{repeat}", events)
            rates[peer.name].append(_run(peer, Run(bootstrap, namespace, count, folder / f"{peer.name}-{repeat}")))
    return rates


def _run(peer: Peer, run: Run) -> float:
    run.folder.mkdir()
    child = Child(
        Process(peer.name, peer.command, run.bootstrap, is_ready=lambda: True, environment=run.environment()),
        run.folder,
    )
    give_up_at = time.monotonic() + PATIENCE_S
    try:
        while child.end() is None and time.monotonic() < give_up_at:
            time.sleep(0.1)
        end = child.end() or f"took more than {PATIENCE_S} s"
    finally:
        child.terminate()
        child.wait_ended(time.monotonic() + 5)
    answer = Answer.read(run)
    if answer is None:
        raise LaunchError(f"{peer.name} {end} and gave no answer.{child.last_lines()}")
    must_be = workload.expected(run.events)
    if answer.totals not in (None, must_be):
        raise WrongAnswer(f"{peer.name} came to {answer.totals} instead of {must_be}")
    checked = "no result to check" if answer.totals is None else f"{must_be.links:,} links, as it must be"
    say(f"  {peer.title}: {answer.events_per_s:,.0f} events/s ({run.events:,} events; {checked})")
    return answer.events_per_s


if __name__ == "__main__":
    sys.exit(main())
