"""The link events that every peer gets: the same bytes on every machine, and what must come out of them.

What must come out is counted on the numbers that the events are made from, never on the events.
"""

import random
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final, NamedTuple

import orjson
from aiokafka import AIOKafkaProducer

from flatline.admin.topics import ensure_topics
from flatline.engine.batch_writer import write
from flatline.engine.log import Outgoing
from flatline.kafka.cluster import KafkaCluster
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import Topic, Topics
from tests.bench.run import Totals

REFERRING_DOMAINS: Final = 50_000
REPEATED: Final = 0.1  # events that report a link once more
BEGIN: Final = datetime(2024, 1, 1, tzinfo=UTC)
STEP: Final = timedelta(minutes=1)  # between two events

_SEED: Final = 20_240_101
_ZIPF_EXPONENT: Final = 0.8
_NOFOLLOW: Final = 0.3
_BATCH_BYTES_MAX: Final = 1 << 19


@dataclass(frozen=True)
class Workload:
    """So many events for so many articles, in so many partitions.

    With ``hot_links``, the first events are so many links of one further article, which gets ``hot_share`` of the rest.
    """

    events: int
    articles: int = 20_000
    partitions: int = 4
    hot_links: int = 0
    hot_share: float = 0.0


class _Link(NamedTuple):
    """A link by its numbers: the article it leads to, the domain it is on, and when it was made."""

    article: int
    domain: int
    step: int
    is_nofollow: bool


async def fill(bootstrap: str, installation: str, workload: Workload) -> Totals:
    """Create an installation's topic of links, write the events into it, and return what must come out of them.

    ``installation`` is the namespace of its topics.
    """
    links_topic = Topics(namespace=installation, partitions=workload.partitions).links
    ensure_topics(KafkaCluster(bootstrap), [links_topic])
    links: set[int] = set()
    domains: set[int] = set()
    articles: set[int] = set()

    def records() -> Iterator[Outgoing]:
        for number, link in enumerate(_links(workload)):
            links.add(link.step)  # no two are made in one step
            domains.add(link.article * REFERRING_DOMAINS + link.domain)
            articles.add(link.article)
            yield _record(links_topic, number, link)

    # Idempotent: a retry must not write an event twice.
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, max_batch_size=_BATCH_BYTES_MAX, enable_idempotence=True
    ) as producer:
        await write(producer, records())
    return Totals(links=len(links), referring_domains=len(domains), articles=len(articles))


def values(workload: Workload) -> Iterator[bytes]:
    """Yield the events as they are sent."""
    links_topic = Topics(partitions=workload.partitions).links
    for number, link in enumerate(_links(workload)):
        value = _record(links_topic, number, link).value
        assert value is not None, "it is no tombstone"
        yield value


def _links(workload: Workload) -> Iterator[_Link]:
    chance = random.Random(_SEED)
    cumulated = list(accumulate((rank + 1) ** -_ZIPF_EXPONENT for rank in range(workload.articles)))
    repeatable: list[_Link] = []
    for step in range(workload.events):
        is_first = step < workload.hot_links
        if not is_first and repeatable and chance.random() < REPEATED:
            yield chance.choice(repeatable)
            continue
        is_hot = is_first or chance.random() < workload.hot_share
        article = workload.articles if is_hot else bisect_left(cumulated, chance.random() * cumulated[-1])
        link = _Link(article, chance.randrange(REFERRING_DOMAINS), step, chance.random() < _NOFOLLOW)
        if not is_first:
            repeatable.append(link)
        yield link


def _record(topic: Topic, number: int, link: _Link) -> Outgoing:
    # Both URLs are in canonical form already, so that a peer without rules for URLs comes to the same result.
    url_to = f"https://blog.example.com/articles/{link.article}/thought-leadership"
    event = {
        "version": 1,
        "id": f"01J{number:023d}",
        "url_from": f"https://site{link.domain}.example/posts/{link.step}/why-{link.article}",
        "url_to": url_to,
        "change": "gained",
        "occurred_at": BEGIN + link.step * STEP,
        "observed_at": BEGIN + number * STEP,
        "anchor": "why thought leadership matters",
        "context": "as the founder explained in this interview about backlinks",
        "rel": ["nofollow"] if link.is_nofollow else [],
        "source": "crawler-a",
    }
    key = url_to.encode()
    return Outgoing(topic.name, partition_of(key, topic.partitions), key, orjson.dumps(event, option=orjson.OPT_UTC_Z))
