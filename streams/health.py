"""How a worker is: lag, progress, readiness. Health means progress, not a loop that turns."""

import asyncio
from time import monotonic
from typing import Any, Final

from faust.types import TP

from streams.engine.app import MicroBatchApp
from streams.engine.ending import die
from streams.engine.watchdog import TICK_S, Progress
from streams.schema.topics import Topics

LAGGING_RECORDS: Final = 10_000
STUCK_AFTER_S: Final = 60.0
GIVE_UP_AFTER_S: Final = 180.0


class Health:
    """Watches one worker from inside."""

    def __init__(self, *, app: MicroBatchApp, topics: Topics) -> None:
        self._app: Any = app
        self._ownership = app.ownership
        self._topics = topics
        self._progress = Progress()

    def _sources(self) -> list[TP]:
        topics = {self._topics.links.name, self._topics.articles.name, self._topics.visits.name}
        consumer = self._app.consumer
        return [tp for tp in consumer.assignment() if tp.topic in topics] if consumer.started else []

    def lag(self) -> dict[tuple[str, int], int]:
        """Return the records that wait, by topic and partition; a partition of which nothing is known yet has none."""
        lag = {}
        for tp in self._sources():
            high_water = self._app.consumer.fetched(tp).high_water
            if high_water is not None:
                lag[tp.topic, tp.partition] = max(0, high_water - self._position(tp))
        return lag

    def _position(self, tp: TP) -> int:
        owned = self._ownership.owned.get(tp.partition)
        applied = None if owned is None else owned.partition.next_offsets.get(tp.topic)
        return applied or self._app.consumer._committed_offset.get(tp) or 0  # noqa: SLF001

    def is_lagging(self) -> bool:
        """Whether so many records wait, or it isn't known how many, that an article may have gained links unseen.

        Visits that wait hide no link.
        """
        sources = [tp for tp in self._sources() if tp.topic != self._topics.visits.name]
        lag = self.lag()
        waiting = [lag[tp] for tp in sources if tp in lag]
        return len(waiting) < len(sources) or sum(waiting) > LAGGING_RECORDS

    def _work(self) -> int:
        """Return how much there is to do: records to apply, and partitions whose state is to be recovered.

        Offsets without a record, such as the marks of transactions, are no work: the client has passed them.
        """
        consumer = self._app.consumer
        work = len(self._ownership.assigned) - len(self._ownership.owned)
        for tp in self._sources():
            high_water, position = consumer.fetched(tp)
            if (high_water or 0) > self._position(tp) and (consumer.unacked or (position or 0) < (high_water or 0)):
                work += 1
        return work

    def is_stuck(self) -> bool:
        """Whether there has been work for STUCK_AFTER_S, and none of it was done."""
        return self._progress.waiting_s(monotonic()) > STUCK_AFTER_S

    async def run(self) -> None:
        """Observe for ever; end a worker that has been stuck for GIVE_UP_AFTER_S: Faust has stalls it does not see."""
        while True:
            await asyncio.sleep(TICK_S)
            positions: dict[object, int | None] = {tp: self._position(tp) for tp in self._sources()}
            positions["restored"] = self._ownership.restored_articles
            self._progress.observe(positions, work=self._work(), now_s=monotonic())
            if self._progress.waiting_s(monotonic()) > GIVE_UP_AFTER_S:
                die(f"there has been work for {GIVE_UP_AFTER_S:.0f} s, and none of it was done")

    def not_live(self) -> str | None:
        """Return why this worker should be restarted, or None."""
        return (
            f"there has been work for over {STUCK_AFTER_S:.0f} s, and none of it was done" if self.is_stuck() else None
        )

    def not_ready(self) -> str | None:
        """Return why this worker can't answer for its partitions yet, or None."""
        assigned, owned = len(self._ownership.assigned), len(self._ownership.owned)
        if assigned == 0:
            return "no partition is assigned"
        return None if self._ownership.is_whole else f"the state of {owned} of {assigned} partitions is restored"
