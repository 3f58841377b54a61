"""The changelog of a partition on a real Kafka: one writer at a time, and nothing but what it committed is read."""

import asyncio

import pytest
from kafka import KafkaConsumer, TopicPartition

from flatline.admin.topics import ensure_topics
from flatline.domain.state.article import Article, Header
from flatline.domain.state.segment import Segment
from flatline.engine.batch_writer import write
from flatline.engine.kafka_log import KafkaChangelog, KafkaWriter
from flatline.engine.log import FencedError, Offset, Outgoing
from flatline.engine.partition import Partition
from flatline.kafka.cluster import KafkaCluster
from flatline.schema.topics import Topics
from tests.waiting import until


@pytest.fixture
def topics(kafka_bootstrap: str, namespace: str) -> Topics:
    """Return topics that exist."""
    topics = Topics(namespace=namespace, partitions=2)
    ensure_topics(KafkaCluster(kafka_bootstrap), topics.all())
    return topics


@pytest.fixture
def changelog(kafka_bootstrap: str, topics: Topics) -> KafkaChangelog:
    """Return the changelog."""
    return KafkaChangelog(topics.changelog.name, group=topics.namespace, cluster=KafkaCluster(kafka_bootstrap))


async def _commit(changelog: KafkaChangelog, writer: KafkaWriter, changes: list[tuple[bytes, bytes]]) -> None:
    number = writer._partition
    await writer.commit([Outgoing(changelog.topic, number, key, value) for key, value in changes], {})


def _change(number: int, watched_since_ms: int) -> tuple[bytes, bytes]:
    key = f"https://yours.example/{number}".encode()
    return key, Article(key, Header(watched_since_ms), Segment()).encode()


async def _abandon(writer: KafkaWriter) -> None:
    """Leave a writer as a worker does that ends at once: nothing is flushed, committed or aborted."""
    producer = writer._producer
    producer._closed = True
    producer._sender.sender_task.cancel()
    await asyncio.gather(producer._sender.sender_task, return_exceptions=True)
    await producer.client.close()


async def _read(changelog: KafkaChangelog, number: int) -> dict[bytes, int]:
    partition = Partition()
    await changelog.restore(number, partition.restore)
    return {key: article.header.watched_since_ms for key in partition if (article := partition.peek(key))}


async def test_everything_committed_is_read(changelog: KafkaChangelog) -> None:
    """More than a batch and more than one commit: the newest value of each key, of this partition alone."""
    writer = await changelog.fence(0)
    await _commit(changelog, writer, [_change(number, 1) for number in range(20_000)])
    await _commit(changelog, writer, [_change(number, 2) for number in range(0, 20_000, 2)])
    await writer.close()
    other = await changelog.fence(1)
    await _commit(changelog, other, [_change(1, 3)])
    await other.close()
    assert await _read(changelog, 0) == {_change(number, 0)[0]: 2 - number % 2 for number in range(20_000)}
    assert await _read(changelog, 1) == {_change(1, 0)[0]: 3}


async def test_a_former_owner_cannot_write(changelog: KafkaChangelog) -> None:
    """Once somebody else has the partition, what its former owner still has in hand is refused, and never read."""
    former = await changelog.fence(0)
    await _commit(changelog, former, [_change(1, 1)])
    owner = await changelog.fence(0)
    with pytest.raises(FencedError):
        await _commit(changelog, former, [_change(1, 2), _change(2, 2)])
    await _abandon(former)
    await _commit(changelog, owner, [_change(3, 3)])
    assert await _read(changelog, 0) == {_change(1, 0)[0]: 1, _change(3, 0)[0]: 3}
    await owner.close()


async def test_what_was_left_open_is_not_read(changelog: KafkaChangelog, topics: Topics) -> None:
    """A crash between the writes and the commit leaves nothing behind: not in the state, and no reader waits for it."""
    crashed = await changelog.fence(0)
    await _commit(changelog, crashed, [_change(1, 1)])
    producer = crashed._producer
    await producer.begin_transaction()
    await write(producer, [Outgoing(topics.changelog.name, 0, *_change(1, 2))])
    await _abandon(crashed)
    owner = await changelog.fence(0)
    assert await _read(changelog, 0) == {_change(1, 0)[0]: 1}
    await owner.close()


async def test_offsets_are_committed_with_the_state(
    changelog: KafkaChangelog, topics: Topics, kafka_bootstrap: str
) -> None:
    """An owner's are the group's, with what is kept beside them; those of a former owner never become it."""
    former = await changelog.fence(0)
    await former.commit([], {topics.links.name: Offset(7, "judged=5"), topics.visits.name: Offset(1)})
    owner = await changelog.fence(0)
    with pytest.raises(FencedError):
        await former.commit([], {topics.links.name: Offset(99)})
    await _abandon(former)
    await owner.commit([Outgoing(changelog.topic, 0, *_change(1, 1))], {topics.links.name: Offset(8, "judged=8")})

    def committed() -> list[tuple[int, str]]:
        consumer = KafkaConsumer(bootstrap_servers=kafka_bootstrap, group_id=topics.namespace)
        try:
            partitions = [TopicPartition(topic.name, 0) for topic in (topics.links, topics.visits)]
            return [tuple(consumer.committed(partition, metadata=True)[:2]) for partition in partitions]
        finally:
            consumer.close()

    # The transaction is over when its marks are written, which is a moment after the broker promised it.
    await asyncio.to_thread(until, "the offsets are there", lambda: committed() == [(8, "judged=8"), (1, "")])
    await owner.close()


async def test_a_takeover_that_is_cancelled_leaves_nothing_behind(changelog: KafkaChangelog) -> None:
    """Whenever it is: no client goes on in the background, and no request that fences whoever comes next."""
    before = asyncio.all_tasks()
    for steps in (0, 1, 3, 10, 30, 100):
        restoring = asyncio.ensure_future(changelog.restore(0, Partition().restore))
        for _ in range(steps):
            await asyncio.sleep(0)
        restoring.cancel()
        await asyncio.wait([restoring])
        fencing = asyncio.ensure_future(changelog.fence(0))
        for _ in range(steps):
            await asyncio.sleep(0)
        fencing.cancel()
        await asyncio.wait([fencing])
        if not fencing.cancelled():  # on a quick machine it was over before
            await fencing.result().close()
        owner = await changelog.fence(0)
        await _commit(changelog, owner, [_change(1, steps)])
        await owner.close()
    for _ in range(10):  # callbacks of what has ended
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
