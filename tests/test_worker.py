"""The worker's loop over tasks, without Kafka: what it applies, judges and commits, and how its health is told."""

import asyncio
from typing import NamedTuple

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from flatline.agents.articles import ArticleAgent
from flatline.agents.judge import Judge
from flatline.agents.links import LinkAgent
from flatline.agents.survey import GroupVerdicts, Surveyor
from flatline.agents.visits import VisitsAgent
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.policy.policy import Policy
from flatline.domain.visibility.sources import Sources
from flatline.domain.visibility.visibility import Visibility
from flatline.engine.assignment import Assignment
from flatline.engine.log import Fetched, MicroBatch
from flatline.metrics import WorkerMetrics
from flatline.schema import codec
from flatline.schema.offset_metadata import judged_until
from flatline.schema.topics import Topics
from flatline.worker import health as health_module
from flatline.worker import loop as worker_module
from flatline.worker.health import Health
from flatline.worker.lag import LAGGING_RECORDS, Lag
from flatline.worker.loop import Worker
from tests.engine.stand_ins import EndedError, Ending, StandInChangelog, StandInConsumer, StandInForwarder

TOPICS = Topics(partitions=1)
LINKS = TOPICS.links.name
NOW_MS = 1_780_000_000_000


class Record(NamedTuple):
    """A record as the Kafka client gives it."""

    offset: int
    value: bytes | None
    timestamp: int = NOW_MS
    key: bytes | None = None
    headers: tuple[()] = ()


class StoppedClock:
    """A clock that stands still."""

    def now_ms(self) -> int:
        """Return its time."""
        return NOW_MS


class Current:
    """What has read all there is to read."""

    is_current = True


class Bench:
    """A worker over stand-ins."""

    def __init__(self, changelog: StandInChangelog | None = None) -> None:
        self.changelog = changelog or StandInChangelog()
        self.consumer, self.ending = StandInConsumer(), Ending()
        self.assignment = Assignment(self.changelog, StandInForwarder(), end=self.ending)
        self.lag = Lag(topics=TOPICS, assignment=self.assignment, consumer=self.consumer)
        metrics, policy, group_totals = WorkerMetrics(CollectorRegistry()), Policy(), GroupTotals(1)
        surveyor = Surveyor(topics=TOPICS, thresholds=policy.default, group_totals=group_totals, groups=GroupVerdicts())
        self.worker = Worker(
            assignment=self.assignment,
            agents={
                LINKS: LinkAgent(topics=TOPICS, metrics=metrics),
                TOPICS.articles.name: ArticleAgent(topics=TOPICS, metrics=metrics),
                TOPICS.visits.name: VisitsAgent(topics=TOPICS, metrics=metrics),
            },
            judge=Judge(topics=TOPICS, policy=policy, group_totals=group_totals, surveyor=surveyor),
            surveyor=surveyor,
            sources=Sources(),
            group_verdicts=Current(),
            lag=self.lag,
            clock=StoppedClock(),
            metrics=metrics,
            end=self.ending,
        )
        self.health = Health(assignment=self.assignment, worker=self.worker, lag=self.lag, end=self.ending)
        for topic in TOPICS.inputs:
            self.consumer.at[topic.name, 0] = Fetched(0, 0)

    async def start(self) -> "Bench":
        """Take partition 0 over, and learn that nothing waits."""
        self.assignment.assigned(frozenset({0}), generation=1)
        for topic in TOPICS.inputs:
            await self.worker.deliver(MicroBatch(topic.name, 0, []), generation=1)
        return self

    async def link(self, first: int, count: int = 1, *, generation: int = 1) -> None:
        """Deliver so many links, each to an article of its own, from an offset on."""
        records = [
            Record(
                offset,
                msgspec.json.encode(
                    {"url_from": f"https://site{offset}.example/", "url_to": f"https://yours.example/{offset}"}
                ),
            )
            for offset in range(first, first + count)
        ]
        await self.worker.deliver(MicroBatch(LINKS, 0, records), generation=generation)

    def verdicts(self) -> dict[str, int | None]:
        """Return by article up to which offset its verdict speaks."""
        said = [record for record in self.changelog.written if record.topic == TOPICS.verdicts.name]
        verdicts = [codec.verdicts.decode(record.value) for record in said]
        return {verdict.article.rpartition("/")[2]: verdict.as_of_offset for verdict in verdicts}


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Return a worker that has partition 0, and time enough to judge all of it on any machine."""
    monkeypatch.setattr(worker_module, "BUDGET_S", 3_600.0)
    monkeypatch.setattr(worker_module, "BUDGET_WHILE_LAGGING_S", 3_600.0)
    monkeypatch.setattr(worker_module, "JUDGED_WITHIN_S", 3_600.0)
    return await Bench().start()


async def test_what_is_applied_is_judged_and_durable_with_one_commit(bench: Bench) -> None:
    """The verdict says as of which offset, and the committed offset that verdicts hold all before it."""
    await bench.link(5, 3)
    await bench.worker.commit()
    assert bench.verdicts() == {"5": 8, "6": 8, "7": 8}
    assert bench.changelog.offsets[LINKS, 0] == (8, "judged=8")


async def test_what_there_was_no_time_for_is_said_to_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offsets of what was applied are committed at once; that verdicts hold it, when it was judged."""
    monkeypatch.setattr(worker_module, "BUDGET_S", -1.0)
    await bench.link(0, 3)
    await bench.worker.commit()
    assert bench.changelog.offsets[LINKS, 0].next_offset == 3
    seen = 0
    while judged_until(bench.changelog.offsets[LINKS, 0].metadata) < 3:
        assert len(bench.verdicts()) == (seen := seen + 1)  # one article a commit, whatever the budget
        await bench.worker.commit()
    assert bench.verdicts() == {"0": 3, "1": 3, "2": 3}


async def test_a_record_that_changes_nothing_is_passed(bench: Bench) -> None:
    """Dead letters, repetitions and marks of transactions move the offset and what is judged."""
    await bench.link(0)
    await bench.worker.deliver(MicroBatch(LINKS, 0, [Record(1, b"?")], delivered_until=4), generation=1)
    await bench.worker.commit()
    await bench.worker.commit()
    assert bench.changelog.offsets[LINKS, 0] == (4, "judged=4")
    bench.consumer.at[LINKS, 0] = Fetched(4, 4)
    assert bench.lag.waiting()[LINKS, 0] == 0


async def test_somebody_elses_open_transaction_is_no_work(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies behind the last stable offset can't be read: nobody waits for it, and no worker ends over it."""
    monkeypatch.setattr(health_module, "monotonic", lambda: 1_000.0)
    await bench.worker.commit()
    bench.consumer.at[LINKS, 0] = Fetched(end=0, position=0)  # the high water mark may be anywhere
    for now_s in (0.0, 1_000.0):
        bench.health.observe(now_s)
    assert bench.health._stuck_with(health_module.GIVE_UP_AFTER_S) is None
    assert not bench.lag.is_lagging()


async def test_a_worker_without_progress_is_stuck(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """While records wait, commits alone are no progress."""
    monkeypatch.setattr(health_module, "monotonic", lambda: 1_000.0)
    bench.consumer.at[LINKS, 0] = Fetched(100, 100)
    for now_s in (0.0, 500.0, 1_000.0):
        await bench.worker.commit()
        bench.health.observe(now_s)
    assert bench.health.not_live() is not None
    assert "none of it was done" in (bench.health.not_live() or "")
    await bench.link(0, 100)
    await bench.worker.commit()
    bench.health.observe(1_000.0)
    assert bench.health.not_live() is None


async def test_a_commit_that_hangs_is_seen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although records go on being applied, and although there may be none: the worker isn't live."""
    monkeypatch.setattr(health_module, "monotonic", lambda: 1_000.0)
    await bench.link(0)
    bench.changelog.commit_held.close()
    committing = asyncio.ensure_future(bench.worker.commit())
    await bench.changelog.commit_held.reached.wait()
    for number, now_s in enumerate((0.0, 500.0, 1_000.0), 1):
        await bench.link(number)
        bench.health.observe(now_s)
    assert "a commit has been under way" in (bench.health.not_live() or "")
    bench.changelog.commit_held.is_open.set()
    await committing
    bench.health.observe(1_000.0)
    assert bench.health.not_live() is None


async def test_nothing_is_judged_while_a_partition_is_restored(bench: Bench) -> None:
    """Of its articles and sources nothing is known yet."""
    await bench.link(0)
    bench.changelog.restore_held.close()
    await bench.assignment.revoked()
    bench.assignment.assigned(frozenset({0, 1}), generation=2)
    await bench.worker.commit()
    assert bench.verdicts() == {}
    assert bench.health.not_ready() == "the state of 1 of 2 partitions is restored"
    bench.changelog.restore_held.is_open.set()
    await bench.assignment.task_of(1, generation=2)
    await bench.worker.commit()
    assert (bench.verdicts(), bench.health.not_ready()) == ({"0": 1}, None)


async def test_nothing_is_written_between_two_generations(bench: Bench) -> None:
    """Neither verdicts nor offsets: the partition may be somebody else's by now."""
    await bench.link(0)
    await bench.assignment.revoked()
    written = len(bench.changelog.written)
    await bench.link(1)
    await bench.worker.commit()
    assert (bench.changelog.offsets[LINKS, 0].next_offset, len(bench.changelog.written)) == (1, written)
    bench.assignment.assigned(frozenset({0}), generation=2)
    await bench.link(1, generation=2)
    await bench.worker.commit()
    assert bench.verdicts() == {"0": 2, "1": 2}


async def test_far_behind_little_is_judged(bench: Bench) -> None:
    """Lag is counted up to where partitions end for a reader, of links and registrations, not of visits."""
    bench.consumer.at[TOPICS.visits.name, 0] = Fetched(10 * LAGGING_RECORDS, 0)
    assert not bench.lag.is_lagging()
    bench.consumer.at[LINKS, 0] = Fetched(LAGGING_RECORDS + 1, 0)
    assert bench.lag.is_lagging()
    bench.consumer.at[LINKS, 0] = Fetched(None, 0)
    assert bench.lag.is_lagging(), "it isn't known"


async def test_an_agent_that_fails_ends_the_worker(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything of the batch is committed."""

    def fail(*_arguments: object, **_named: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(LinkAgent, "apply", fail)
    with pytest.raises(EndedError, match=r"up to offset 3 can't be applied"):
        await bench.link(0, 3)
    assert isinstance(bench.ending.cause, ZeroDivisionError)
    assert (LINKS, 0) not in bench.changelog.offsets


async def test_a_lost_partition_ends_the_worker(bench: Bench) -> None:
    """With the reason, when it next writes."""
    await bench.link(0)
    await bench.changelog.fence(0)
    with pytest.raises(EndedError, match="another worker has taken over"):
        await bench.worker.commit()


async def test_what_holds_for_all_is_looked_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What sources can see costs the same for one partition and for a hundred."""
    looked: list[int] = []
    visibility = Sources.visibility

    def look(sources: Sources, now_ms: int, *, is_lagging: bool = False) -> Visibility:
        looked.append(now_ms)
        return visibility(sources, now_ms, is_lagging=is_lagging)

    monkeypatch.setattr(Sources, "visibility", look)
    await bench.assignment.revoked()
    bench.assignment.assigned(frozenset(range(5)), generation=2)
    await bench.assignment.task_of(0, generation=2)
    await bench.worker.commit()
    assert looked == [NOW_MS]


async def test_judging_gives_others_their_turns(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many articles that are due at once, none but those of a turn keep others waiting."""
    monkeypatch.setattr("flatline.engine.turns.TURN_S", 0.0)
    monkeypatch.setattr(worker_module, "BUDGET_S", 3_600.0)
    await bench.link(0, 50)
    turns = 0
    committing = asyncio.ensure_future(bench.worker.commit())
    while not committing.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 50
