"""The life of a task: what it restores, what a commit covers, and how it is suspended and closed."""

import asyncio
from collections import Counter
from collections.abc import Iterable

import pytest

from flatline.domain.state.article import FORMAT_BYTE, Article, LinkObservation, UnknownFormatError
from flatline.domain.state.link import ORGANIC
from flatline.engine import partition as partition_module
from flatline.engine.log import FencedError, Forwarded, Outgoing, Refused
from flatline.engine.task import Task, TaskState
from tests.engine.stand_ins import StandInChangelog, StandInForwarder

KEY = b"https://yours.example/a"
T0 = 1_780_000_000_000
FORWARDER = StandInForwarder()


def _gain(task: Task, page: int, *, key: bytes = KEY) -> Article:
    article = task.articles.get(key) or task.articles.create(key, now_ms=T0)
    if article.apply([LinkObservation(key, page.to_bytes(8), bytes(6), True, T0 + page, ORGANIC)], Counter()):
        task.articles.touch(article)
    return article


def _links(changelog: StandInChangelog) -> int:
    task = Task(0, changelog)
    for key, value in changelog.records[0]:
        task.articles.restore(key, value)
    article = task.articles.peek(KEY)
    return 0 if article is None else article.totals.gained


def _judge(task: Task) -> None:
    """Say that everything was judged."""
    for key in task.due.due(T0):
        task.due.forget(key)
    task.due.pass_ended(T0)


async def _restored(changelog: StandInChangelog) -> Task:
    task = Task(0, changelog)
    await task.restore()
    return task


async def test_a_commit_covers_what_was_applied_before_it() -> None:
    """What is applied while a commit is being written is not covered by its offset, and comes with the next one."""
    changelog = StandInChangelog()
    task = await _restored(changelog)
    _gain(task, 1)
    task.applied("links", 10)
    changelog.commit_held.close()
    committing = asyncio.ensure_future(task.commit(FORWARDER))
    await changelog.commit_held.reached.wait()
    _gain(task, 2)
    task.applied("links", 20)
    changelog.commit_held.is_open.set()
    await committing
    assert (changelog.offsets["links", 0].next_offset, task.durable) == (10, {"links": 10})
    await task.commit(FORWARDER)
    assert (changelog.offsets["links", 0].next_offset, _links(changelog)) == (20, 2)


async def test_a_commit_without_news_writes_nothing() -> None:
    """Neither records nor offsets."""
    changelog = StandInChangelog()
    task = await _restored(changelog)
    task.applied("links", 10)
    await task.commit(FORWARDER)
    changelog.offsets.clear()
    written = len(changelog.records[0])
    await task.commit(FORWARDER)
    assert (changelog.offsets, len(changelog.records[0])) == ({}, written)


async def test_offsets_say_how_far_the_verdicts_are() -> None:
    """Beside an offset stands the one up to which all was judged, also after a crash in between."""
    changelog = StandInChangelog()
    task = await _restored(changelog)
    _gain(task, 1)
    task.applied("links", 10)
    await task.commit(FORWARDER)
    assert changelog.offsets["links", 0] == (10, "judged=0")
    _judge(task)
    await task.commit(FORWARDER)
    assert changelog.offsets["links", 0] == (10, "judged=10")
    _gain(task, 2)
    task.applied("links", 20)
    await task.commit(FORWARDER)
    assert changelog.offsets["links", 0] == (20, "judged=10")

    heir = await _restored(changelog)
    heir.applied("links", 20)
    await heir.commit(FORWARDER)
    assert changelog.offsets["links", 0] == (20, "judged=10"), "it isn't known which articles changed since 10"
    _judge(heir)
    await heir.commit(FORWARDER)
    assert changelog.offsets["links", 0] == (20, "judged=20")

    _gain(heir, 3)
    heir.applied("links", 30)
    await heir.commit(FORWARDER)
    assert changelog.offsets["links", 0] == (30, "judged=20"), "its last commit judged nothing"

    silent = await _restored(changelog)
    _judge(silent)
    await silent.commit(FORWARDER)
    assert changelog.offsets["links", 0] == (30, "judged=30"), "although nothing was delivered to it"

    third = await _restored(changelog)
    third.applied("links", 30)
    changelog.offsets.clear()
    await third.commit(FORWARDER)
    assert changelog.offsets == {}, "all that was restored was judged"


async def test_what_was_judged_is_not_due_again() -> None:
    """An article that changed is judged once: a commit has what it writes judged only where it changed since."""
    task = await _restored(StandInChangelog())
    _gain(task, 1)
    task.applied("links", 10)
    task.queue_changes()
    assert task.due.due(T0) == [KEY]
    _judge(task)
    await task.commit(FORWARDER)
    assert task.due.due(T0) == []

    _gain(task, 2)
    task.applied("links", 20)
    task.queue_changes()
    _judge(task)
    _gain(task, 3)  # before the commit, and after it was judged
    task.applied("links", 30)
    await task.commit(FORWARDER)
    assert task.due.due(T0) == [KEY]


async def test_what_is_learned_during_a_commit_is_news_to_an_heir() -> None:
    """It is not in that commit: whoever takes over then doesn't count it as judged when it is delivered again."""
    changelog = StandInChangelog()
    task = await _restored(changelog)
    _gain(task, 1)
    task.applied("links", 10)
    task.queue_changes()
    _judge(task)
    task.articles.forwarded.append(Forwarded(Outgoing("links", 1, b"k", b"v"), lambda _: None))

    class Slow(StandInForwarder):
        async def forward(self, _records: object) -> list[Refused]:
            _gain(task, 2)
            task.applied("links", 20)
            return []

    await task.commit(Slow())
    assert (changelog.offsets["links", 0], _links(changelog)) == ((10, "judged=10"), 1)

    heir = await _restored(changelog)
    _gain(heir, 2)
    heir.applied("links", 20)
    await heir.commit(FORWARDER)
    assert changelog.offsets["links", 0] == (20, "judged=10"), "nobody has judged what came after 10"


async def test_what_belongs_elsewhere_is_written_first() -> None:
    """A commit that fails after forwarding has committed no offset; one whose forwarding fails has written nothing."""
    changelog = StandInChangelog()
    task = await _restored(changelog)
    task.applied("links", 10)
    record = Outgoing("links", 1, b"k", b"v")
    task.articles.forwarded.append(Forwarded(record, lambda _: None))

    class Failing(StandInForwarder):
        async def forward(self, _records: object) -> list[Refused]:
            raise OSError("unreachable")

    with pytest.raises(OSError, match="unreachable"):
        await task.commit(Failing())
    assert (changelog.offsets, changelog.written) == ({}, [])


async def test_what_is_refused_elsewhere_is_written_as_it_says() -> None:
    """In the commit that covers it, each refused record has its own stand-in, or none; the others are written."""
    changelog = StandInChangelog()
    task = await _restored(changelog)
    task.applied("links", 10)

    class Refusing(StandInForwarder):
        async def forward(self, records: Iterable[Outgoing]) -> list[Refused]:
            return [Refused(each, "TOO_LONG") for each in records if each.value != b"good"]

    for value in (b"bad", b"good", b"lost", b"bad"):
        record = Outgoing("links", 1, b"k", value)
        letter = None if value == b"lost" else Outgoing("letters", 0, b"k", b"letter of " + value)
        task.articles.forwarded.append(Forwarded(record, lambda _, letter=letter: letter))  # type: ignore[misc]
    await task.commit(Refusing())
    assert [each.value for each in changelog.written] == [b"letter of bad"] * 2
    assert changelog.offsets["links", 0].next_offset == 10


async def test_verdicts_and_dead_letters_are_written_once() -> None:
    """With the commit after they were said, in the order in which they were."""
    changelog = StandInChangelog()
    task = await _restored(changelog)
    said = [Outgoing("verdicts", 0, b"k", b"1"), Outgoing("verdicts", 0, b"k", b"2")]
    task.unpublished += said
    letter = Outgoing("letters", 0, None, b"?")
    task.articles.dead_letters.append(letter)
    await task.commit(FORWARDER)
    await task.commit(FORWARDER)
    assert changelog.written == [*said, letter]


async def test_a_cancelled_commit_goes_on() -> None:
    """The next one must not believe that all was written."""
    changelog = StandInChangelog()
    task = await _restored(changelog)
    _gain(task, 1)
    changelog.commit_held.close()
    committing = asyncio.ensure_future(task.commit(FORWARDER))
    await changelog.commit_held.reached.wait()
    committing.cancel()
    await asyncio.wait([committing])
    changelog.commit_held.is_open.set()
    await task.commit(FORWARDER)
    assert _links(changelog) == 1


async def test_whoever_lost_the_partition_is_told() -> None:
    """A commit after somebody else has become the writer raises, and leaves nothing."""
    changelog = StandInChangelog()
    task = await _restored(changelog)
    await _restored(changelog)
    _gain(task, 1)
    with pytest.raises(FencedError):
        await task.commit(FORWARDER)
    assert _links(changelog) == 0


async def test_closing_waits_for_the_commit() -> None:
    """A commit that is under way ends before the writer is closed; afterwards none begins."""
    changelog = StandInChangelog()
    task = await _restored(changelog)
    _gain(task, 1)
    changelog.commit_held.close()
    committing = asyncio.ensure_future(task.commit(FORWARDER))
    await changelog.commit_held.reached.wait()
    closing = [asyncio.ensure_future(task.close()) for _ in range(2)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert task.state is TaskState.CLOSING
    changelog.commit_held.is_open.set()
    await asyncio.gather(committing, *closing)
    assert (task.state, changelog.closed, _links(changelog)) == (TaskState.CLOSED, [0], 1)
    _gain(task, 2)
    await task.commit(FORWARDER)
    assert _links(changelog) == 1


async def test_a_suspended_task_writes_nothing_until_it_is_resumed() -> None:
    """Neither the commit that waited while it was being suspended, nor any later one."""
    changelog = StandInChangelog()
    task = await _restored(changelog)
    _gain(task, 1)
    changelog.commit_held.close()
    suspending = asyncio.ensure_future(task.suspend(FORWARDER))
    await changelog.commit_held.reached.wait()
    waiting = asyncio.ensure_future(task.commit(FORWARDER))
    _gain(task, 2)
    changelog.commit_held.is_open.set()
    await asyncio.gather(suspending, waiting)
    assert (_links(changelog), task.is_running) == (1, False)
    await task.commit(FORWARDER)
    assert _links(changelog) == 1
    task.resume()
    await task.commit(FORWARDER)
    assert _links(changelog) == 2


async def test_a_task_that_was_not_the_writer_yet_is_closed_when_it_is_suspended() -> None:
    """Its request must not come after that of whoever gets the partition."""
    changelog = StandInChangelog()
    changelog.fence_held.close()
    task = Task(0, changelog)
    restoring = asyncio.ensure_future(task.restore())
    await changelog.fence_held.reached.wait()
    await task.suspend(FORWARDER)
    await asyncio.wait([restoring])
    assert (task.state, restoring.cancelled(), changelog.newest) == (TaskState.CLOSED, True, {})


async def test_closing_while_restoring_gives_the_writer_back() -> None:
    """What was begun is cancelled, and nothing of it is left."""
    changelog = StandInChangelog()
    changelog.restore_held.close()
    task = Task(0, changelog)
    restoring = asyncio.ensure_future(task.restore())
    await changelog.restore_held.reached.wait()
    await task.close()
    await asyncio.wait([restoring])
    assert (task.state, changelog.closed) == (TaskState.CLOSED, [0])


async def test_a_state_of_another_format_is_refused() -> None:
    """The error reaches whoever restores."""
    with pytest.raises(UnknownFormatError):
        await _restored(StandInChangelog({KEY: bytes([FORMAT_BYTE[0] + 1])}))


async def test_cooling_between_commits_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Articles are made bytes in turns while others are applied to: whichever is changed meanwhile stays as it is."""
    monkeypatch.setattr(partition_module, "WARM_SEGMENTS_MAX", 0)
    monkeypatch.setattr("flatline.engine.turns.TURN_S", 0.0)  # a turn an article
    changelog = StandInChangelog()
    task = await _restored(changelog)
    keys = [b"https://yours.example/%d" % number for number in range(20)]
    for page in range(1, 30):
        committing = asyncio.ensure_future(task.commit(FORWARDER))
        for step in range(40):
            _gain(task, page, key=keys[(page * 7 + step) % 20])
            await asyncio.sleep(0)
        await committing
    await task.commit(FORWARDER)
    heir = await _restored(changelog)
    known = [heir.articles.peek(key) for key in keys]
    assert [article and article.totals.gained for article in known] == [29] * 20
