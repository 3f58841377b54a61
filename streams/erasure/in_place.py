"""Rewrites a topic that keeps its name: into a copy, from which it is made anew.

At every moment the topic or its copy is whole. Where the topic has fewer records than a copy that was completed, it was
deleted, and is restored from the copy; else the copy is of no more use. That holds only while nothing else writes.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from time import monotonic, sleep
from typing import Any, Final

from flatline.admin.topics import ensure_topics
from flatline.engine.kafka_log import KafkaForwarder
from flatline.engine.log import Outgoing
from flatline.erasure.errors import ErasureError
from flatline.erasure.scan import all_records, existing
from flatline.kafka.cluster import KafkaCluster
from flatline.kafka.skipped_batch import SkippedBatch
from flatline.rebuild.copying import Rewriting
from flatline.schema.dead_letter import RESENDS_HEADER
from flatline.schema.topics import Topic

RECORDS_AT_ONCE_MAX: Final = 5_000
_COMPLETE: Final = b"complete"
_GONE_WITHIN_S: Final = 120.0
_LOOK_EVERY_S: Final = 0.2


def copy_of(topic: Topic) -> Topic:
    """Return the topic that holds the copy: it keeps all records, in their order."""
    return replace(topic, name=f"{topic.name}.erasing", cleanup_policy="delete", retention_ms=None)


def rewrite_in_place(cluster: KafkaCluster, topic: Topic, rewriting: Rewriting) -> None:
    """Rewrite every record of a topic. Raises ErasureError, TopicsError and KafkaError."""
    restore(cluster, topic)
    copy = copy_of(topic)
    ensure_topics(cluster, [copy])
    written = asyncio.run(_write(cluster, _rewritten(cluster, topic, copy, rewriting)))
    # Last, and alone: with it the copy is complete, and the topic may go.
    asyncio.run(_write(cluster, iter([Outgoing(copy.name, 0, _COMPLETE, str(written).encode())])))
    delete(cluster, [topic.name])
    restore(cluster, topic)


def restore(cluster: KafkaCluster, topic: Topic) -> None:
    """Complete what a run has begun: restore the topic if it is not whole, and delete the copy.

    Raises ErasureError, TopicsError and KafkaError.
    """
    copy = copy_of(topic)
    if not existing(cluster, [copy.name]):
        return
    whole = next((int(each.value) for each in _committed(cluster, copy.name) if each.key == _COMPLETE), 0)
    if _count(cluster, topic) < whole:
        delete(cluster, [topic.name])
        ensure_topics(cluster, [topic])
        asyncio.run(_write(cluster, _back(cluster, copy, topic, whole)))
        if (count := _count(cluster, topic)) != whole:
            raise ErasureError(f"{topic.name} has {count} records; {whole} were written to it.")
    delete(cluster, [copy.name])


def delete(cluster: KafkaCluster, names: list[str]) -> None:
    """Delete those of the topics that exist; return when Kafka lists them no more. Raises ErasureError, KafkaError."""
    if not (left := existing(cluster, names)):
        return
    with cluster.admin() as admin:
        admin.delete_topics(left)
    give_up_at_s = monotonic() + _GONE_WITHIN_S
    while left := existing(cluster, left):
        if monotonic() > give_up_at_s:
            raise ErasureError(f"Kafka did not delete {', '.join(left)}.")
        sleep(_LOOK_EVERY_S)


def _rewritten(cluster: KafkaCluster, topic: Topic, copy: Topic, rewriting: Rewriting) -> Iterator[Outgoing]:
    """Yield what stays of a topic, for its copy. Letters that were sent again are known by their offsets."""
    new_offsets: dict[int, int] = {}
    for record in _committed(cluster, topic.name):
        if isinstance(record, SkippedBatch):
            continue  # nobody can read what is in it
        headers = dict(record.headers)
        if (word := headers.get(RESENDS_HEADER)) is not None:
            if not word.isdigit() or int(word) not in new_offsets:
                continue  # it says something of a letter that is gone
            headers[RESENDS_HEADER] = str(new_offsets[int(word)]).encode()
        outgoing = Outgoing(
            topic.name, record.partition, record.key, record.value, record.timestamp, [*headers.items()]
        )
        if (kept := rewriting.rewritten(outgoing)) is not None:
            new_offsets[record.offset] = len(new_offsets)
            yield kept._replace(topic=copy.name)


def _back(cluster: KafkaCluster, copy: Topic, topic: Topic, whole: int) -> Iterator[Outgoing]:
    records = (each for each in _committed(cluster, copy.name) if each.key != _COMPLETE)
    for each in islice(records, whole):
        yield Outgoing(topic.name, each.partition, each.key, each.value, each.timestamp, each.headers)


async def _write(cluster: KafkaCluster, records: Iterator[Outgoing]) -> int:
    """Write records; return how many there were. Raises ErasureError and KafkaError."""
    forwarder, written = KafkaForwarder(cluster), 0
    try:
        while batch := list(islice(records, RECORDS_AT_ONCE_MAX)):
            if refused := await forwarder.forward(batch):
                raise ErasureError(f"{refused[0].record.topic} does not take a record: {refused[0].error}")
            written += len(batch)
    finally:
        await forwarder.close()
    return written


def _count(cluster: KafkaCluster, topic: Topic) -> int:
    return sum(1 for _ in _committed(cluster, topic.name)) if existing(cluster, [topic.name]) else 0


def _committed(cluster: KafkaCluster, name: str) -> Iterator[Any]:
    return all_records(cluster, name, isolation_level="read_committed")
