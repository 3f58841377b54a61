"""The worker's loop: apply what is delivered; once a second judge what is due, and make all of it durable."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import monotonic, time
from typing import Final, NamedTuple, NoReturn, Protocol

from flatline.agents.imports import ImportRecogniser
from flatline.agents.judge import Judge, JudgingContext
from flatline.agents.survey import Surveyor
from flatline.clock import Clock
from flatline.domain.visibility.sources import Sources
from flatline.engine.assignment import Assignment
from flatline.engine.log import MicroBatch
from flatline.engine.partition import Partition
from flatline.engine.task import Task
from flatline.engine.turns import Turns
from flatline.metrics import WorkerMetrics
from flatline.worker.lag import Lag

COMMIT_INTERVAL_S: Final = 1.0
CATCHING_UP_COMMIT_INTERVAL_S: Final = 5.0
PAUSE_S: Final = 0.05  # between commits, when there is more to judge
# Of a commit, for judging, over all tasks; what is due beyond that waits for the next one. The time of others' turns in
# between is left out, but counts for the time within which judging ends: it makes the commit longer, too.
BUDGET_S: Final = 0.3
BUDGET_WHILE_LAGGING_S: Final = 0.05
JUDGED_WITHIN_S: Final = 0.4


class Agent(Protocol):
    """Applies a micro-batch to the articles of its partition. Raises nothing for bad records."""

    def apply(self, batch: MicroBatch, partition: Partition, *, now_ms: int) -> None:
        """Apply its records in order."""


class IsCurrent(Protocol):
    """What reads a whole topic, and knows whether it has read all that was there."""

    is_current: bool


class Limits(NamedTuple):
    """Of turns of work: how much time they may take without and with the pauses between them."""

    spent_s: float
    elapsed_s: float

    def are_reached(self, turns: Turns) -> bool:
        """Whether it is time to stop."""
        return turns.spent_s >= self.spent_s or turns.elapsed_s >= self.elapsed_s


class Worker:
    """Applies, judges and commits for the tasks that are assigned.

    ``is_committing``  whether a commit is under way, and ``commits`` how many have ended
    """

    def __init__(
        self,
        *,
        assignment: Assignment,
        agents: Mapping[str, Agent],
        judge: Judge,
        surveyor: Surveyor,
        sources: Sources,
        group_verdicts: IsCurrent,
        read_first: Sequence[IsCurrent] = (),
        recogniser: ImportRecogniser | None = None,
        lag: Lag,
        clock: Clock,
        metrics: WorkerMetrics,
        end: Callable[[str], NoReturn],
    ) -> None:
        """``agents`` by topic; ``end`` ends this worker.

        All of ``read_first`` is read before any article is judged, and ``group_verdicts`` before any group is.
        """
        self._read_first = read_first
        self._recogniser = recogniser
        self._assignment = assignment
        self._agents = agents
        self._judge = judge
        self._surveyor = surveyor
        self._sources = sources
        self._group_verdicts = group_verdicts
        self._lag = lag
        self._clock = clock
        self._metrics = metrics
        self._end = end
        self._committed_s = monotonic()
        self._one_at_a_time = asyncio.Lock()
        self.last_durable_s: float | None = None  # wall clock
        self.commits = 0

    @property
    def is_committing(self) -> bool:
        """Whether a commit is under way."""
        return self._one_at_a_time.locked()

    async def deliver(self, batch: MicroBatch, *, generation: int) -> None:
        """Apply a micro-batch that was delivered in a generation of the group."""
        task = await self._assignment.task_of(batch.partition, generation=generation)
        if task is None:
            return
        if batch.records:
            try:
                self._agents[batch.topic].apply(batch, task.articles, now_ms=self._clock.now_ms())
            except Exception:  # noqa: BLE001
                # Going on would leave it out.
                where = f"{batch.topic}, partition {batch.partition}"
                self._end(f"{where}: a micro-batch up to offset {batch.next_offset} can't be applied")
        task.applied(batch.topic, batch.next_offset)

    async def run(self) -> None:
        """Commit for ever: every second, or every few while far behind, as that leaves more time to catch up."""
        is_all_judged = True
        while True:
            await asyncio.sleep(COMMIT_INTERVAL_S if is_all_judged else PAUSE_S)
            is_recent = monotonic() - self._committed_s < CATCHING_UP_COMMIT_INTERVAL_S
            if not (is_recent and self._lag.is_lagging()):
                is_all_judged = await self.commit()

    async def commit(self) -> bool:
        """Judge what changed and what is due, within the budget, and make everything durable.

        Return whether nothing was left to judge.
        """
        async with self._one_at_a_time:
            began_s, is_all_judged = monotonic(), True
            if self._assignment.is_whole and all(each.is_current for each in self._read_first):
                try:
                    is_all_judged = await self._judge_tasks(self._assignment.running)
                except Exception:  # noqa: BLE001
                    self._end("articles can't be judged")
            await self._assignment.commit()
            self._committed_s = monotonic()
            self.last_durable_s = time()
            self.commits += 1
            self._metrics.commit_duration.observe(self._committed_s - began_s)
            return is_all_judged

    async def _judge_tasks(self, tasks: Sequence[Task]) -> bool:
        """Judge for all tasks: time, visibility and lag are the same for each, and looked at once.

        Return whether nothing was left to judge.
        """
        turns, is_all_judged = Turns(), True
        self._sources.learn_habits(task.articles.source_histories for task in tasks)
        now_ms, is_lagging = self._clock.now_ms(), self._lag.is_lagging()
        context = JudgingContext(now_ms, self._sources.visibility(now_ms, is_lagging=is_lagging))
        budget_s = BUDGET_WHILE_LAGGING_S if is_lagging else BUDGET_S
        for number, task in enumerate(tasks, 1):
            # What a task leaves of its share is there for those behind it.
            share = number / len(tasks)
            limits = Limits(spent_s=share * budget_s, elapsed_s=share * JUDGED_WITHIN_S)
            async with task.lock:
                if task.is_running:
                    await self._judge_task(task, context, turns, limits)
                    is_all_judged &= task.due.judged_until_ms >= now_ms
        return is_all_judged

    async def _judge_task(self, task: Task, context: JudgingContext, turns: Turns, limits: Limits) -> None:
        if self._recogniser is not None:
            self._recogniser.advance(task)
        for _ in self._judge.judge_due(task, context):
            if limits.are_reached(turns):
                break
            if turns.is_over:
                await turns.next()
        task.due.pass_ended(context.now_ms)
        if turns.is_over:
            await turns.next()
        self._surveyor.advance(
            task,
            is_lagging=context.visibility.is_lagging,
            may_judge_groups=self._group_verdicts.is_current,
            now_ms=context.now_ms,
        )
