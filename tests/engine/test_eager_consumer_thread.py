"""What the thread that fetches passes on."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from flatline.admin.topics import ensure_topics
from flatline.engine.app import EagerConsumerThread
from flatline.engine.kafka_log import started
from flatline.engine.log import Outgoing
from flatline.kafka.cluster import AsyncConsumer, KafkaCluster
from flatline.schema.topics import Topics
from tests.chaos.flow import write_all
from tests.waiting import PATIENCE_S

COMMITTED = 4
KEPT, IDLE = TP("links", 0), TP("links", 1)


@pytest.mark.parametrize("is_flowing", [True, False])
async def test_what_was_fetched_is_passed_on(is_flowing: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the flow has stopped meanwhile: the client does not fetch it again if the flow goes on at once."""

    async def fetch(*_: Any, **__: Any) -> dict[TP, list[str]]:
        thread.consumer.flow_active = is_flowing
        return {KEPT: ["record"]}

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetch)
    positions = {KEPT: 11, IDLE: 5}
    assignment = SimpleNamespace(
        tps=set(positions),
        state_value=lambda tp: SimpleNamespace(position=positions[tp], has_valid_position=True),
    )
    client: Any = SimpleNamespace(_subscription=SimpleNamespace(subscription=SimpleNamespace(assignment=assignment)))
    thread: Any = object.__new__(EagerConsumerThread)
    thread.consumer = SimpleNamespace(flow_active=True)
    passed_on = await thread._fetch_records(client, {KEPT, IDLE})
    assert (passed_on[KEPT], passed_on[KEPT].next_offset) == (["record"], 11)
    assert (IDLE in passed_on) == is_flowing


@pytest.mark.parametrize("committed", [None, 0, COMMITTED])
async def test_what_a_rebalance_drops_comes_again(kafka_bootstrap: str, namespace: str, committed: int | None) -> None:
    """From what is committed on, or else from the beginning, as in the first seconds of an installation."""
    topic = Topics(namespace=namespace, partitions=1).links
    cluster = KafkaCluster(kafka_bootstrap)
    ensure_topics(cluster, [topic])
    tp = TopicPartition(topic.name, 0)
    records = [Outgoing(topic.name, 0, None, bytes([number])) for number in range(10)]
    await asyncio.to_thread(write_all, kafka_bootstrap, records)
    client = cluster.async_consumer(group_id=namespace, auto_offset_reset="earliest", enable_auto_commit=False)
    thread: Any = object.__new__(EagerConsumerThread)
    thread._consumer, thread.call_thread = client, _call
    async with started(client):
        client.assign([tp])
        if committed is not None:
            await client.commit({tp: committed})
        dropped = await _offsets(client)
        assert dropped[-1] == 9
        assert await thread.seek_to_committed() == {tp: committed}
        assert await _offsets(client) == list(range(committed or 0, 10))


async def _call(method: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    return await method(*arguments)


async def _offsets(client: AsyncConsumer) -> list[int]:
    """Return the offsets of what is fetched, up to the last record that there is."""
    offsets: list[int] = []
    give_up_at_s = time.monotonic() + PATIENCE_S
    while not offsets or offsets[-1] < 9:
        assert time.monotonic() < give_up_at_s, f"no more comes after {offsets}"
        for records in (await client.getmany(timeout_ms=500)).values():
            offsets += [record.offset for record in records]
    return offsets
