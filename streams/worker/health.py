"""Liveness and readiness of a worker. A worker that makes no progress is not live."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final, NoReturn

from flatline.engine.assignment import Assignment
from flatline.engine.task import TaskState
from flatline.engine.watchdog import TICK_S, Progress
from flatline.worker.lag import Lag
from flatline.worker.loop import Worker

STUCK_AFTER_S: Final = 60.0
GIVE_UP_AFTER_S: Final = 180.0


class Health:
    """Watches one worker from inside."""

    def __init__(self, *, assignment: Assignment, worker: Worker, lag: Lag, end: Callable[[str], NoReturn]) -> None:
        self._assignment = assignment
        self._worker = worker
        self._lag = lag
        self._end = end
        self._records = Progress()
        self._commits = Progress()

    def observe(self, now_s: float) -> None:
        """Note how far everything is that moves when work is done, and whether there is any. Monotonic clock."""
        tasks = self._assignment.tasks.values()
        restoring = [task for task in tasks if task.state is TaskState.RESTORING]
        to_apply = sum(lag > 0 for lag in self._lag.waiting().values())
        to_commit = sum(task.durable.get(topic) != offset for task in tasks for topic, offset in task.positions.items())
        # What is durable, not what was applied: a commit may hang while more and more is.
        positions: dict[object, int | None] = {
            (topic, task.number): offset for task in tasks for topic, offset in task.durable.items()
        }
        positions["restored"] = sum(len(task.articles) for task in restoring)
        self._records.observe(positions, work=len(restoring) + to_apply + to_commit, now_s=now_s)
        self._commits.observe({"commits": self._worker.commits}, work=self._worker.is_committing, now_s=now_s)

    def _stuck_with(self, limit_s: float) -> str | None:
        now_s = monotonic()
        if self._commits.waiting_s(now_s) > limit_s:
            return f"a commit has been under way for over {limit_s:.0f} s"
        if self._records.waiting_s(now_s) > limit_s:
            return f"there has been work for over {limit_s:.0f} s, and none of it was done"
        return None

    def is_stuck(self) -> bool:
        """Whether there has been work for STUCK_AFTER_S, and none of it was done."""
        return self._stuck_with(STUCK_AFTER_S) is not None

    async def run(self) -> None:
        """Observe for ever; end a worker that has been stuck for GIVE_UP_AFTER_S: Faust has stalls it does not see."""
        while True:
            await asyncio.sleep(TICK_S)
            self.observe(monotonic())
            if (why := self._stuck_with(GIVE_UP_AFTER_S)) is not None:
                self._end(why)

    def not_live(self) -> str | None:
        """Return why this worker should be restarted, or None."""
        return self._stuck_with(STUCK_AFTER_S)

    def not_ready(self) -> str | None:
        """Return why this worker can't answer for its partitions yet, or None."""
        assigned, restored = len(self._assignment.tasks), len(self._assignment.restored)
        if assigned == 0:
            return "no partition is assigned"
        return None if self._assignment.is_whole else f"the state of {restored} of {assigned} partitions is restored"
