"""Entrants take turns, so that a machine that gets slower gets slower for all of them."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench import report, workload
from tests.bench.broker import topics_deleted
from tests.bench.peer import Peer
from tests.bench.run import Answer, Run, Totals
from tests.bench.workload import Workload


class Entrant(NamedTuple):
    """A peer with its load, of which ``warm_up`` events are applied before the time runs."""

    peer: Peer
    load: Workload
    warm_up: int


def take_turns(
    bootstrap: str,
    folder: Path,
    entrants: Sequence[Entrant],
    *,
    repeats: int,
    ended: Callable[[Peer, Run, Totals], None] = lambda _peer, _run, _totals: None,
) -> Mapping[str, list[Answer]]:
    """Run each entrant so many times; return the answers by the peer's name. Raises WrongResult and LaunchError.

    ``ended`` is called after each run, with what had to come out, while the run's topics still exist.
    """
    installations: dict[Workload, str] = {}
    must_be: dict[Workload, Totals] = {}
    for load in (entrant.load for entrant in entrants):
        if load not in installations:
            installations[load] = f"{folder.name}-{len(installations)}"
            report.say(f"writing {load.events:,} events")
            must_be[load] = asyncio.run(workload.fill(bootstrap, installations[load], load))
    answers: defaultdict[str, list[Answer]] = defaultdict(list)
    for repeat in range(1, repeats + 1):
        report.say(f"round {repeat} of {repeats}")
        for peer, load, warm_up in entrants:
            name = f"{peer.name}-{repeat}"
            run = Run(
                bootstrap=bootstrap,
                installation=installations[load],
                partitions=load.partitions,
                events=load.events,
                warm_up=warm_up,
                namespace=f"{folder.name}.{name}",
                folder=folder / name,
            )
            with topics_deleted(bootstrap, f"{run.installation}.", run.namespace):
                answer = peer.run(run, must_be[load])
                ended(peer, run, must_be[load])
            answers[peer.name].append(answer)
            report.say(f"  {peer.title}: {answer.events_per_s:,.0f} events/s of {load.events:,} ({_checked(answer)})")
    return answers


def _checked(answer: Answer) -> str:
    return "no result to check" if answer.totals is None else f"{answer.totals.links:,} links, as it must be"
