"""What a peer is told, how its time is taken, and what it answers. A peer is a process that ends after its answer."""

import asyncio
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import orjson

from streams.schema.topics import Topics
from tests.bench import workload
from tests.bench.workload import Totals


@dataclass(frozen=True)
class Run:
    """One run of one peer: ``events`` link events wait in the topic of links of ``namespace``."""

    bootstrap: str
    namespace: str
    events: int
    folder: Path  # the run's own, for the answer and for whatever a peer leaves on disk

    @property
    def topics(self) -> Topics:
        """The run's topics."""
        return workload.topics(self.namespace)

    def environment(self) -> dict[str, str]:
        """Return the variables from which the peer's process gets its run."""
        return {f"BENCH_{name.upper()}": str(value) for name, value in asdict(self).items()}

    @classmethod
    def from_environment(cls) -> Self:
        """Return the run that this process was started for."""
        told = os.environ
        return cls(
            told["BENCH_BOOTSTRAP"],
            told["BENCH_NAMESPACE"],
            int(told["BENCH_EVENTS"]),
            Path(told["BENCH_FOLDER"]),
        )


@dataclass(frozen=True)
class Answer:
    """How fast a peer was, and what it has accumulated; None from one that accumulates nothing."""

    events_per_s: float
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
        return cls(said["events_per_s"], said["totals"] and Totals(**said["totals"]))


class Stopwatch:
    """The rule of timing, one for all peers.

    The time runs from when the first event, or the first batch of them, has been applied until the last event is
    applied *and* all is as durable as the peer makes it. What was applied when it began to run is not counted.
    """

    def __init__(self, events: int) -> None:
        self._events = events
        self._applied = 0
        self._uncounted = 0
        self._began_s = 0.0

    def applied(self, events: int) -> bool:
        """Note that so many more events were applied; return whether those were the last ones."""
        self._applied += events
        if not self._uncounted:
            self._uncounted = events
            self._began_s = perf_counter()
        return self._applied >= self._events

    def stop(self) -> float:
        """Return the events per second."""
        return (self._applied - self._uncounted) / (perf_counter() - self._began_s)


async def committed(app: Any, run: Run) -> None:
    """Have a Faust app commit now, not when its timer says, until the offsets of all events are committed."""
    offsets, topic = app.consumer._committed_offset, run.topics.links.name
    while sum(offset or 0 for tp, offset in offsets.items() if tp.topic == topic) < run.events:
        await app.consumer.commit()
        await asyncio.sleep(0.001)
