"""The partitions that the consumer group assigned to this worker, each of them a task."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from time import monotonic
from typing import Final, NoReturn

from flatline.domain.state.article import UnknownFormatError
from flatline.engine.log import Changelog, FencedError, Forwarder
from flatline.engine.task import Task, TaskState
from flatline.schema.topics import DEAD_LETTER_BYTES_MAX, Topic

RESTORED_AT_ONCE: Final = 4

log = logging.getLogger("flatline.engine")


class Assignment:
    """Makes tasks of the partitions that come, and closes those of the ones that go.

    What is kept from one generation of the group to the next stays as it is. A worker that missed a generation keeps
    nothing: somebody else may have written in between.
    """

    def __init__(
        self,
        changelog: Changelog,
        forwarder: Forwarder,
        *,
        end: Callable[[str], NoReturn],
        copies: Topic | None = None,
        letter_bytes_max: int = DEAD_LETTER_BYTES_MAX,
    ) -> None:
        """``end`` ends this worker, with the reason: it is called where going on would do harm.

        ``copies``: the topic of what is known of articles that moved to other partitions. ``letter_bytes_max`` as for
        `Task`.
        """
        self._letter_bytes_max = letter_bytes_max
        self._copies = copies
        self._changelog = changelog
        self._forwarder = forwarder
        self._end = end
        self._takeovers: set[asyncio.Future[None]] = set()
        self._releases: dict[int, asyncio.Future[None]] = {}
        self._gate = asyncio.Semaphore(RESTORED_AT_ONCE)
        self._began_s = monotonic()
        self._new = 0
        self._is_whole = asyncio.Event()
        self.generation = 0
        self.tasks: dict[int, Task] = {}
        self.rebalances = 0
        self.recovery_s = 0.0  # how long the last one took

    @property
    def running(self) -> list[Task]:
        """The tasks that may be judged and committed."""
        return [task for task in self.tasks.values() if task.is_running]

    @property
    def restored(self) -> list[Task]:
        """The tasks that know all about their partitions."""
        return [task for task in self.tasks.values() if task.state is TaskState.RUNNING]

    @property
    def is_whole(self) -> bool:
        """Whether every task is restored."""
        return self._is_whole.is_set()

    async def task_of(self, partition: int, *, generation: int) -> Task | None:
        """Return the task that a record belongs to, once all are restored.

        None when the record was delivered in a former generation: it is delivered again, to whoever has it now.
        """
        await self._is_whole.wait()
        return None if generation < self.generation else self.tasks.get(partition)

    async def commit(self) -> None:
        """Make durable what was applied and judged."""
        await self._all_durable(task.commit(self._forwarder) for task in self.running)

    async def revoked(self) -> None:
        """Make durable what was applied, and write nothing more until `assigned`."""
        await self._all_durable(task.suspend(self._forwarder) for task in list(self.tasks.values()))

    async def _all_durable(self, commits: Iterable[Awaitable[None]]) -> None:
        try:
            await asyncio.gather(*commits)
        except FencedError:
            self._end(
                "another worker has taken over a partition of this one, or the broker was away for too long; if this "
                "happens again and again, two workers have the same host name, address and port"
            )
        except Exception:  # noqa: BLE001
            # What was taken to be written is gone from memory.
            self._end("a commit failed")

    def assigned(self, partitions: frozenset[int], *, generation: int) -> None:
        """Take over what is new, give up what is gone, go on with what was kept. Returns at once."""
        kept = partitions if generation - self.generation in (0, 1) else frozenset[int]()
        self.generation = generation
        self.rebalances += 1
        self._is_whole.clear()
        for number, task in list(self.tasks.items()):
            if number in kept and task.state in (TaskState.RESTORING, TaskState.RUNNING):
                task.resume()
            else:
                del self.tasks[number]
                self._releases[number] = asyncio.ensure_future(self._release(task, self._releases.get(number)))
        self._began_s = monotonic()
        new = partitions - self.tasks.keys()
        self._new = len(new)
        for number in sorted(new):
            task = self.tasks[number] = Task(
                number, self._changelog, self._copies, letter_bytes_max=self._letter_bytes_max
            )
            takeover = asyncio.ensure_future(self._take_over(task))
            self._takeovers.add(takeover)
            takeover.add_done_callback(self._takeovers.discard)
        self._look_whether_whole()

    async def close(self) -> None:
        """Make durable what was applied, and give up everything."""
        await self.revoked()
        self.assigned(frozenset(), generation=self.generation)
        await asyncio.gather(*self._releases.values(), *self._takeovers, return_exceptions=True)

    async def _release(self, task: Task, former: asyncio.Future[None] | None) -> None:
        await task.close()
        if former is not None:
            await former

    async def _take_over(self, task: Task) -> None:
        refusal = None
        try:
            if (former := self._releases.pop(task.number, None)) is not None:
                await former
            async with self._gate:
                if task.state is not TaskState.RESTORING:
                    return  # it was given up meanwhile
                await task.restore()
        except asyncio.CancelledError:
            if task.state is TaskState.RESTORING:
                raise
            return  # given up while it was being restored
        except UnknownFormatError as error:
            refusal = f"partition {task.number}: {error} {error.remedy}"
        except Exception:  # noqa: BLE001
            self._end(f"partition {task.number} can't be taken over")
        if refusal is not None:
            self._end(refusal)
        self._look_whether_whole()

    def _look_whether_whole(self) -> None:
        if self.is_whole or any(task.state is not TaskState.RUNNING for task in self.tasks.values()):
            return
        self.recovery_s = monotonic() - self._began_s
        log.info(
            "ready: %d partitions, %d of them new here, with %d articles; restored in %.1f s",
            len(self.tasks),
            self._new,
            sum(len(task.articles) for task in self.tasks.values()),
            self.recovery_s,
        )
        self._is_whole.set()
