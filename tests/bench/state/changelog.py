"""The changelog of a worker that knows many articles, written as fast as the client can."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final, NamedTuple

from aiokafka import AIOKafkaProducer

from flatline.admin.topics import ensure_topics
from flatline.engine.batch_writer import write
from flatline.engine.log import Outgoing
from flatline.kafka.cluster import KafkaCluster
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import Topics
from tests.bench.state.articles import Kind, article_key, article_records, link_count, source_records

_BATCH_BYTES_MAX: Final = 1 << 19
_PROCESSES: Final = 2
_ARTICLES_A_JOB: Final = 25_000


class State(NamedTuple):
    """What a worker of ``namespace`` is to know: articles 0, 1, 2, … with so many links each, on average.

    A mean of 1 is exactly one link each. The first ``registered`` articles are registered. With ``sources``, so many
    sources have reported to every partition.
    """

    namespace: str
    partitions: int
    articles: int
    links_mean: float
    registered: int = 0
    sources: int = 1

    @property
    def topics(self) -> Topics:
        """The topics of the worker."""
        return Topics(namespace=self.namespace, partitions=self.partitions)

    def links_of(self, number: int) -> int:
        """Return how many links an article has."""
        return 1 if self.links_mean == 1 else link_count(number, mean=self.links_mean)


def write_changelogs(bootstrap: str, states: Sequence[State]) -> dict[str, int]:
    """Create the topics of these states and write their changelogs; return the links in each, by namespace."""
    for state in states:
        ensure_topics(KafkaCluster(bootstrap), state.topics.all())
    jobs = [
        (state, range(start, min(start + _ARTICLES_A_JOB, state.articles)))
        for state in states
        for start in range(0, state.articles, _ARTICLES_A_JOB)
    ]
    links = dict.fromkeys((state.namespace for state in states), 0)
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
        written = [(state, pool.submit(_write, bootstrap, state, numbers)) for state, numbers in jobs]
        try:
            for state, job in written:
                links[state.namespace] += job.result()
        finally:
            pool.shutdown(cancel_futures=True)  # whoever stops the benchmark does not wait for the rest
    return links


def _write(bootstrap: str, state: State, numbers: range) -> int:
    return asyncio.run(_write_some(bootstrap, state, numbers))


async def _write_some(bootstrap: str, state: State, numbers: range) -> int:
    topic, links = state.topics.changelog, 0

    def records() -> Iterator[Outgoing]:
        nonlocal links
        for number in numbers:
            count = state.links_of(number)
            links += count
            partition = partition_of(article_key(number), topic.partitions)
            kind = Kind(count, f"crawler-{number % state.sources}", is_registered=number < state.registered)
            for key, value in article_records(number, kind):
                yield Outgoing(topic.name, partition, key, value)
        if numbers.start == 0:
            for partition in range(topic.partitions):
                for key, value in source_records(f"crawler-{source}" for source in range(state.sources)):
                    yield Outgoing(topic.name, partition, key, value)

    async with AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=_BATCH_BYTES_MAX) as producer:
        await write(producer, records())
    return links
