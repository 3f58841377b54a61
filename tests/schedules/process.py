"""A worker as a process of its own: the real tasks, loop and agents over the in-memory broker."""

import asyncio
from collections.abc import Callable
from typing import NoReturn

from prometheus_client import CollectorRegistry

from flatline.agents.articles import ArticleAgent
from flatline.agents.judge import Judge
from flatline.agents.links import LinkAgent
from flatline.agents.survey import GroupVerdicts, Surveyor
from flatline.agents.visits import VisitsAgent
from flatline.core import Core, native_core
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.policy.policy import Policy
from flatline.domain.visibility.sources import Sources
from flatline.engine.assignment import Assignment
from flatline.engine.log import Fetched, MicroBatch
from flatline.metrics import WorkerMetrics
from flatline.schema.topics import Topics
from flatline.worker.lag import Lag
from flatline.worker.loop import Worker
from tests.broker.broker import Broker
from tests.broker.consumer import MemoryConsumer
from tests.broker.memory_log import MemoryChangelog, MemoryForwarder
from tests.broker.network import Request, SteppedNetwork
from tests.schedules.virtual_loop import VirtualLoop


class ProcessEnded(BaseException):
    """Instead of the end of the process: nothing catches it."""


class VirtualClock:
    """Tells the time of the schedule."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self.now_ms = now_ms

    def wall_ms(self, duration_ms: int) -> int:
        """Return what it is given."""
        return duration_ms


class Current:
    """What has read all there is to read."""

    is_current = True


class Process:
    """One worker process.

    ``ended_because``  why it ended itself; None while it runs
    """

    def __init__(self, broker: Broker, topics: Topics, instance_id: str) -> None:
        self.instance_id = instance_id
        self.network = SteppedNetwork()
        self.is_paused = False
        self.ended_because: str | None = None
        self._broker = broker
        self._topics = topics
        self._loop = VirtualLoop(lambda: broker.now_ms() / 1000)
        self._loop.call_soon(self._start)
        self.run()

    def _start(self) -> None:
        topics, broker = self._topics, self._broker
        changelog = MemoryChangelog(broker, self.network, topics.changelog.name, group=topics.namespace)
        assignment = Assignment(changelog, MemoryForwarder(broker, self.network), end=self._end)
        lag = Lag(topics=topics, assignment=assignment, consumer=self)
        metrics, policy, group_totals = (
            WorkerMetrics(CollectorRegistry()),
            Policy(),
            GroupTotals(topics.links.partitions),
        )
        surveyor = Surveyor(topics=topics, thresholds=policy.default, group_totals=group_totals, groups=GroupVerdicts())
        self.worker = Worker(
            assignment=assignment,
            agents={
                topics.links.name: LinkAgent(topics=topics, metrics=metrics, core=native_core(Core.AUTO)),
                topics.articles.name: ArticleAgent(topics=topics, metrics=metrics),
                topics.visits.name: VisitsAgent(topics=topics, metrics=metrics),
            },
            judge=Judge(topics=topics, policy=policy, group_totals=group_totals, surveyor=surveyor),
            surveyor=surveyor,
            sources=Sources(),
            group_verdicts=Current(),
            lag=lag,
            clock=VirtualClock(broker.now_ms),
            metrics=metrics,
            end=self._end,
        )
        self._consumer = MemoryConsumer(
            broker,
            self.network,
            group=topics.namespace,
            topics=(topics.links.name, topics.articles.name),
            instance_id=self.instance_id,
            listener=assignment,
            deliver=self._deliver,
        )
        self._running = [self._loop.create_task(run()) for run in (self._consumer.run, self.worker.run)]
        for task in self._running:
            task.add_done_callback(self._has_failed)

    async def _deliver(self, batch: MicroBatch, *, generation: int) -> None:
        await self.worker.deliver(batch, generation=generation)

    def fetched(self, topic: str, partition: int) -> Fetched:
        """Return how far the consumer is."""
        return self._consumer.fetched(topic, partition)

    def _end(self, why: str) -> NoReturn:
        self._ends(why)
        raise ProcessEnded(why)

    def _ends(self, why: str) -> None:
        self.network.is_cut = True
        self.ended_because = self.ended_because or why

    def _has_failed(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._ends(f"failed: {task.exception()!r}")

    def run(self) -> None:
        """Do all that can be done until the next answer or timer."""
        if not self.is_paused:
            self._loop.run_ready()

    def move(self, request: Request) -> None:
        """Bring one of its requests to the broker, or the answer back."""
        self.network.move(request)
        self.run()

    def lose(self, request: Request) -> None:
        """Lose one of its requests, or the answer."""
        self.network.lose(request, ConnectionResetError(request.name))
        self.run()

    def kill(self) -> None:
        """End it at once. Its requests may still arrive."""
        self.network.is_cut = True
        asyncio.set_event_loop(None)
        self._loop.kill()
