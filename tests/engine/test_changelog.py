"""The changelog of a partition on a real Kafka: one writer at a time, and nothing but what it committed is read."""

import asyncio

import pytest

from deploy.kafka.topics import ensure_topics
from streams.domain.article import Article, Header
from streams.domain.segment import Segment
from streams.engine import changelog as changelog_module
from streams.engine.changelog import Changelog, PartitionWriter
from streams.engine.log import Outgoing
from streams.engine.partition import Partition
from streams.schema.topics import Topics


class Died(Exception):
    """Instead of the end of the process."""


@pytest.fixture
def topics(kafka_bootstrap: str, namespace: str) -> Topics:
    """Return topics that exist."""
    topics = Topics(namespace=namespace, partitions=2)
    ensure_topics(kafka_bootstrap, topics.all())
    return topics


@pytest.fixture
def changelog(kafka_bootstrap: str, topics: Topics) -> Changelog:
    """Return the changelog."""
    return Changelog(topics.changelog.name, client={"bootstrap_servers": kafka_bootstrap})


@pytest.fixture(autouse=True)
def mortal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an end of the process be an error."""

    def die(why: str) -> None:
        raise Died(why)

    monkeypatch.setattr(changelog_module, "die", die)


def _change(number: int, watched_since_ms: int) -> tuple[bytes, bytes]:
    key = f"https://yours.example/{number}".encode()
    return key, Article(key, Header(watched_since_ms), Segment()).encode()


async def _abandon(writer: PartitionWriter) -> None:
    """Leave a writer as a worker does that ends at once: nothing is flushed, committed or aborted."""
    producer = writer._producer
    producer._closed = True
    producer._sender.sender_task.cancel()
    await asyncio.gather(producer._sender.sender_task, return_exceptions=True)
    await producer.client.close()


async def _read(changelog: Changelog, number: int) -> dict[bytes, int]:
    partition = Partition()
    await changelog.restore(number, partition)
    return {key: article.header.watched_since_ms for key in partition if (article := partition.peek(key))}


async def test_everything_committed_is_read(changelog: Changelog) -> None:
    """More than a batch and more than one commit: the newest value of each key, of this partition alone."""
    writer = await changelog.fence(0)
    await writer.commit([], [_change(number, 1) for number in range(20_000)])
    await writer.commit([], [_change(number, 2) for number in range(0, 20_000, 2)])
    await writer.close()
    other = await changelog.fence(1)
    await other.commit([], [_change(1, 3)])
    await other.close()
    assert await _read(changelog, 0) == {_change(number, 0)[0]: 2 - number % 2 for number in range(20_000)}
    assert await _read(changelog, 1) == {_change(1, 0)[0]: 3}


async def test_a_former_owner_cannot_write(changelog: Changelog) -> None:
    """Once somebody else has the partition, what its former owner still has in hand is refused, and never read."""
    former = await changelog.fence(0)
    await former.commit([], [_change(1, 1)])
    owner = await changelog.fence(0)
    with pytest.raises(Died, match="another worker has taken over partition 0"):
        await former.commit([], [_change(1, 2), _change(2, 2)])
    await _abandon(former)
    await owner.commit([], [_change(3, 3)])
    assert await _read(changelog, 0) == {_change(1, 0)[0]: 1, _change(3, 0)[0]: 3}
    await owner.close()


async def test_what_was_left_open_is_not_read(changelog: Changelog, topics: Topics) -> None:
    """A crash between the writes and the commit leaves nothing behind: not in the state, and no reader waits for it."""
    crashed = await changelog.fence(0)
    await crashed.commit([], [_change(1, 1)])
    producer = crashed._producer
    await producer.begin_transaction()
    await changelog_module.write(producer, [Outgoing(topics.changelog.name, 0, *_change(1, 2))])
    await _abandon(crashed)
    owner = await changelog.fence(0)
    assert await _read(changelog, 0) == {_change(1, 0)[0]: 1}
    await owner.close()
