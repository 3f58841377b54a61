"""The link events that every peer gets: the same bytes on every machine, and what must come out of them.

What must come out is counted on the numbers that the events are made from, never on the events.
"""

import random
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import accumulate
from typing import Final, NamedTuple

import orjson
from aiokafka import AIOKafkaProducer

from deploy.kafka.topics import ensure_topics
from streams.engine.batch_writer import Outgoing, write
from streams.schema.partitioning import partition_of
from streams.schema.topics import Topics

ARTICLES: Final = 20_000
REFERRING_DOMAINS: Final = 50_000
REPEATED: Final = 0.1  # events that report a link once more
PARTITIONS: Final = 4
BEGIN: Final = datetime(2024, 1, 1, tzinfo=UTC)
STEP: Final = timedelta(minutes=1)  # between two events

_SEED: Final = 20_240_101
_ZIPF_EXPONENT: Final = 0.8
_NOFOLLOW: Final = 0.3
_BATCH_BYTES_MAX: Final = 1 << 19


class _Link(NamedTuple):
    """A link by its numbers: the article it leads to, the domain it is on, and when it was made."""

    article: int
    domain: int
    step: int
    is_nofollow: bool


@dataclass(frozen=True)
class Totals:
    """What has been accumulated in all: distinct links, referring domains summed over articles, articles."""

    links: int
    referring_domains: int
    articles: int


def topics(namespace: str) -> Topics:
    """Return the topics of one run."""
    return Topics(namespace=namespace, partitions=PARTITIONS)


@cache
def expected(events: int) -> Totals:
    """Return what must come out of the first ``events`` events."""
    links = set(_links(events))
    return Totals(
        links=len(links),
        referring_domains=len({(link.article, link.domain) for link in links}),
        articles=len({link.article for link in links}),
    )


async def fill(bootstrap: str, namespace: str, events: int) -> None:
    """Create the topics of a run and write the first ``events`` events into the one of links."""
    ensure_topics(bootstrap, topics(namespace).all(), replication_factor=1)
    topic = topics(namespace).links.name
    # Idempotent: a retry must not write an event twice.
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, max_batch_size=_BATCH_BYTES_MAX, enable_idempotence=True
    ) as producer:
        await write(producer, (_record(topic, number, link) for number, link in enumerate(_links(events))))


def _links(events: int) -> Iterator[_Link]:
    chance = random.Random(_SEED)
    cumulated = list(accumulate((rank + 1) ** -_ZIPF_EXPONENT for rank in range(ARTICLES)))
    made: list[_Link] = []
    for step in range(events):
        if made and chance.random() < REPEATED:
            yield chance.choice(made)
            continue
        article = bisect_left(cumulated, chance.random() * cumulated[-1])
        made.append(_Link(article, chance.randrange(REFERRING_DOMAINS), step, chance.random() < _NOFOLLOW))
        yield made[-1]


def _record(topic: str, number: int, link: _Link) -> Outgoing:
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
    return Outgoing(topic, partition_of(key, PARTITIONS), key, orjson.dumps(event, option=orjson.OPT_UTC_Z))
