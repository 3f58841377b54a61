"""What a worker writes of link records, read by Python alone or with the native core."""

from collections.abc import Sequence
from types import ModuleType
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest

from flatline.agents.links import LinkAgent
from flatline.agents.read_links import LinkRecords, ReadLinks
from flatline.domain.policy.ignore import Ignored
from flatline.domain.time import DAY_MS
from flatline.engine.log import MicroBatch, Record
from flatline.engine.partition import Partition
from flatline.metrics import WorkerMetrics
from flatline.schema.topics import Topics
from tests.agents.lone_worker import Read

TOPICS: Final = Topics(partitions=2)
NOW_MS: Final = 1_780_000_000_000  # 2026-05-28


def written(core: ModuleType | None, batches: Sequence[Sequence[Record]], ignored: Ignored | None) -> list[object]:
    """Return all that partition 0 has to write after each of the batches, and what is counted."""
    metrics, partition = WorkerMetrics(CollectorRegistry()), Partition()
    agent = LinkAgent(topics=TOPICS, metrics=metrics, ignored=ignored, core=core)
    found: list[object] = []
    for batch in batches:
        agent.apply(MicroBatch(TOPICS.links.name, 0, batch), partition, now_ms=NOW_MS)
        found += [list(partition.take_changes()), [each.record for each in partition.forwarded]]
        found += [list(partition.dead_letters), list(partition.take_news())]
    return [*found, [line for line in generate_latest(metrics.registry).splitlines() if b"_created" not in line]]


def numbered(records: Sequence[tuple[bytes | None, int]]) -> list[Read]:
    """Return records of these values, recorded at these instants, as the Kafka client gives them."""
    return [Read(offset, at_ms, b"k", value) for offset, (value, at_ms) in enumerate(records)]


def left_to_python(core: ModuleType, values: Sequence[bytes], *, partitions: int) -> list[bytes]:
    """Return the records that the core leaves to Python, but for the first of the day."""
    said, batch = ReadLinks(), MicroBatch(TOPICS.links.name, 0, numbered([(value, NOW_MS) for value in values]))
    said.day_ends_ms = NOW_MS + DAY_MS
    reader = LinkRecords(core, partitions=partitions, ignored=None)
    return [record.value or b"" for record in reader.left_to_python(batch, said)]
