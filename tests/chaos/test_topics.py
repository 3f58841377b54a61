"""Topics that hold what they should not, or have gaps, or are not as the worker expects them."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient, TopicPartition

from flatline.admin.topics import ensure_topics
from flatline.engine.log import Outgoing
from flatline.kafka.cluster import KafkaCluster
from flatline.schema.topics import Topics
from tests.chaos.broker import Broker
from tests.chaos.flow import write_all
from tests.chaos.scale import pick
from tests.chaos.trial import EXIT_REFUSED, PARTITIONS, Trial
from tests.integration.running import Installation

EVENTS = pick(short=4_000, full=100_000)


def test_deleted_records(trial: Trial) -> None:
    """Some are deleted before anybody reads, some between two lives of a worker: it goes on with what there is."""
    write_all(trial.bootstrap, islice(trial.events, EVENTS))
    _delete_records(trial, until_share=0.5)
    trial.installation.start(1)
    trial.wait_caught_up()
    seen = list(trial.records())
    trial.installation.kill(1)
    write_all(trial.bootstrap, islice(trial.events, EVENTS))
    _delete_records(trial, until_share=0.9)
    trial.installation.start(1)
    trial.check_now(also=seen)


def test_transactions(trial: Trial) -> None:
    """A producer writes in transactions: their marks are no records, and what was aborted was never written."""
    trial.installation.start(1)
    trial.installation.wait_ready(1)
    asyncio.run(_write_in_transactions(trial.bootstrap, trial.events, is_kept=iter([True, False, True, False])))
    trial.wait_caught_up()
    write_all(trial.bootstrap, trial.events.one_each())
    trial.check_now()


async def _write_in_transactions(bootstrap: str, events: Iterator[Outgoing], *, is_kept: Iterator[bool]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id="somebody-elses") as producer:
        for keep in is_kept:
            await producer.begin_transaction()
            for record in islice(events, EVENTS // 4):
                await producer.send(
                    record.topic,
                    record.value,
                    record.key,
                    partition=record.partition,
                    timestamp_ms=record.timestamp_ms,
                    headers=record.headers,
                )
            await (producer.commit_transaction() if keep else producer.abort_transaction())


def _delete_records(trial: Trial, *, until_share: float) -> None:
    """Delete the oldest records, up to a share of the offsets of each partition."""
    ends = {TopicPartition(trial.topics.links.name, record.partition): record.offset + 1 for record in trial.records()}
    with KafkaAdminClient(bootstrap_servers=trial.bootstrap) as admin:
        admin.delete_records({partition: int(end * until_share) for partition, end in ends.items()})


@pytest.mark.parametrize("name", ["links", "changelog"])
def test_an_unexpected_partition_count_is_refused(broker: Broker, namespace: str, tmp_path: Path, name: str) -> None:
    """A worker that finds a topic with another number of partitions ends at once and says what to do."""
    other = getattr(Topics(namespace=namespace, partitions=PARTITIONS - 1), name)
    ensure_topics(KafkaCluster(broker.bootstrap), [other])
    settings = {"FLATLINE_PARTITIONS": str(PARTITIONS)}
    with closing(Installation(broker.bootstrap, namespace, tmp_path, **settings)) as installation:
        installation.start(1)
        assert installation.wait_ended(1) == EXIT_REFUSED
        said = installation.log(1)
    assert f"{other.name} has {PARTITIONS - 1} partitions; it should have {PARTITIONS}" in said
    assert "set FLATLINE_PARTITIONS to what the topics have" in said
    assert "Traceback" not in said
