"""Producers with transactions in our topics: what is open can't be read, and their marks are no records."""

import asyncio
import json
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.latest_verdicts import waiting_records
from flatline.schema.topics import Topics
from tests.integration.running import Installation
from tests.waiting import until

URL = "https://yours.example/article"


def _event(site: str) -> bytes:
    return json.dumps({"url_from": f"https://{site}.example/post", "url_to": URL}).encode()


def _lag(installation: Installation) -> float:
    _, metrics = installation.get(1, "/metrics")
    return sum(float(line.split()[-1]) for line in metrics.splitlines() if line.startswith("flatline_consumer_lag_rec"))


@pytest.mark.parametrize("is_aborted", [False, True])
async def test_an_open_transaction_is_neither_work_nor_lag(
    kafka_bootstrap: str, namespace: str, tmp_path: Path, *, is_aborted: bool
) -> None:
    """What is behind it can't be read yet: no worker waits for it, nor does who waits for verdicts, until it ends."""
    topics = Topics(namespace=namespace, partitions=4)

    def gained() -> object:
        return installation.articles()[URL]["gained_total"]

    def is_caught_up() -> bool:
        return waiting_records(KafkaCluster(kafka_bootstrap), topics) == 0

    async def wait(what: str) -> None:
        await asyncio.to_thread(until, what, is_caught_up)

    with Installation(kafka_bootstrap, namespace, tmp_path) as installation:
        installation.start(1)
        await asyncio.to_thread(installation.wait_ready, 1)
        plain = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)
        other = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, transactional_id=f"{namespace}-somebody")
        async with plain, other:
            await plain.send_and_wait(topics.links.name, _event("a"), key=URL.encode())
            await other.begin_transaction()
            await other.send_and_wait(topics.links.name, _event("b"), key=URL.encode())
            await plain.send_and_wait(topics.links.name, _event("c"), key=URL.encode())
            await wait("all that can be read is judged")
            assert await asyncio.to_thread(gained) == 1
            await asyncio.to_thread(until, "nothing waits", lambda: _lag(installation) == 0)
            if is_aborted:
                await other.abort_transaction()
            else:
                await other.commit_transaction()
            await plain.send_and_wait(topics.links.name, _event("d"), key=URL.encode())
            await wait("all is judged")
            assert await asyncio.to_thread(gained) == 3 + (not is_aborted)
            await other.begin_transaction()  # its mark is the last of the partition
            await other.send_and_wait(topics.links.name, _event("e"), key=URL.encode())
            await other.commit_transaction()
            await wait("the mark is passed")
            assert await asyncio.to_thread(gained) == 4 + (not is_aborted)
            await asyncio.to_thread(until, "nothing waits", lambda: _lag(installation) == 0)
