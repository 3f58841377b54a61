"""What a peer is told, how its time is taken, and what it answers. A peer is a process that ends after its answer."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Self

import orjson

from flatline.schema.topics import Topics


@dataclass(frozen=True)
class Run:
    """One run of one peer: ``events`` link events wait in a topic that other runs read, too."""

    bootstrap: str
    installation: str  # the namespace whose topic of links the events are in
    partitions: int
    events: int
    warm_up: int  # how many of them are applied before the time runs
    namespace: str  # the run's own: a peer names its consumer group, its state and its topics so
    folder: Path  # the run's own, for the answer and for whatever a peer leaves on disk

    @property
    def topics(self) -> Topics:
        """The topics of an installation of ours that gets the events."""
        return Topics(namespace=self.installation, partitions=self.partitions)

    @property
    def topic(self) -> str:
        """The topic that the events are in."""
        return self.topics.links.name

    def environment(self) -> dict[str, str]:
        """Return the variables from which the peer's process gets its run."""
        return {f"BENCH_{name.upper()}": str(value) for name, value in {**asdict(self), "topic": self.topic}.items()}

    @classmethod
    def from_environment(cls) -> Self:
        """Return the run that this process was started for."""
        told = os.environ
        return cls(
            bootstrap=told["BENCH_BOOTSTRAP"],
            installation=told["BENCH_INSTALLATION"],
            partitions=int(told["BENCH_PARTITIONS"]),
            events=int(told["BENCH_EVENTS"]),
            warm_up=int(told["BENCH_WARM_UP"]),
            namespace=told["BENCH_NAMESPACE"],
            folder=Path(told["BENCH_FOLDER"]),
        )


@dataclass(frozen=True)
class Totals:
    """What has been accumulated in all: distinct links, referring domains summed over articles, articles."""

    links: int
    referring_domains: int
    articles: int


@dataclass(frozen=True)
class Answer:
    """How fast a peer was, by the wall clock and in CPU time of its process, and what it has accumulated.

    The totals are None from one that accumulates nothing.
    """

    events_per_s: float
    cpu_s_per_million_events: float
    totals: Totals | None

    def give(self, run: Run) -> None:
        """Leave the answer where `read` finds it."""
        (run.folder / "answer.json").write_bytes(orjson.dumps(self))

    @classmethod
    def read(cls, run: Run) -> Self | None:
        """Return the answer of a run; None when there is none."""
        file = run.folder / "answer.json"
        if not file.exists():
            return None
        said = orjson.loads(file.read_bytes())
        return cls(**{**said, "totals": said["totals"] and Totals(**said["totals"])})


class Stopwatch:
    """The rule of timing, one for all peers.

    The time runs from when the warm-up has been applied until the last event is applied *and* all is as durable as the
    peer makes it. What was applied when it began to run is not counted.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._applied = 0
        self._uncounted = 0
        self._began_s = 0.0
        self._cpu_began_s = 0.0

    def applied(self, events: int) -> bool:
        """Note that so many more events were applied; return whether those were the last ones."""
        self._applied += events
        if not self._uncounted and self._applied >= self._run.warm_up:
            self._uncounted = self._applied
            self._began_s, self._cpu_began_s = perf_counter(), process_time()
        return self._applied >= self._run.events

    def stop(self) -> Callable[[Totals | None], Answer]:
        """Stop; return what makes the answer once the totals are read, which is not timed."""
        counted = self._applied - self._uncounted
        seconds, cpu_s = perf_counter() - self._began_s, process_time() - self._cpu_began_s
        return partial(Answer, counted / seconds, cpu_s / counted * 1e6)


async def committed(app: Any, run: Run) -> None:
    """Have a Faust app commit now, not when its timer says, until the offsets of all events are committed."""
    offsets = app.consumer._committed_offset
    while sum(offset or 0 for tp, offset in offsets.items() if tp.topic == run.topic) < run.events:
        await app.consumer.commit()
        await asyncio.sleep(0.001)
