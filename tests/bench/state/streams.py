"""Link events in the Kafka client's own batches: made once, sent to several topics in no time."""

import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import accumulate
from typing import Final, NamedTuple

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from flatline.schema.partitioning import partition_of
from tests.bench.state.articles import article_key
from tests.bench.worker import NOW, PARTITIONS

_BATCH_BYTES_MAX: Final = 1 << 19
_ZIPF_EXPONENT: Final = 0.8
_REFERRING_DOMAINS: Final = 50_000
_STEP: Final = timedelta(milliseconds=100)  # between two events
_NO_COMPRESSION: Final = 0


class Stream(NamedTuple):
    """So many events, as (partition, batch)."""

    events: int
    batches: list[tuple[int, BatchBuilder]]


def make_stream(events: int, *, articles: int, seed: int) -> Stream:
    """Return events for articles 0 to ``articles`` - 1, in proportion to 1 / rank^0.8. Each is of a new link."""
    batches: list[tuple[int, BatchBuilder]] = []
    growing: dict[int, BatchBuilder] = {}
    for key, value in _events(events, articles=articles, seed=seed):
        partition = partition_of(key, PARTITIONS)
        record = {"timestamp": None, "key": key, "value": value}
        if partition not in growing or growing[partition].append(**record) is None:
            growing[partition] = BatchBuilder(_BATCH_BYTES_MAX, _NO_COMPRESSION)
            growing[partition].append(**record)
            batches.append((partition, growing[partition]))
    return Stream(events, batches)


def _events(events: int, *, articles: int, seed: int) -> Iterator[tuple[bytes, bytes]]:
    chance = random.Random(seed)
    cumulated = list(accumulate((rank + 1) ** -_ZIPF_EXPONENT for rank in range(articles)))
    for number, article in enumerate(chance.choices(range(articles), cum_weights=cumulated, k=events)):
        key = article_key(article)
        event = {
            "version": 1,
            "url_from": f"https://site{chance.randrange(_REFERRING_DOMAINS)}.example/posts/{seed}-{number}/why",
            "url_to": key.decode(),
            "change": "gained",
            "occurred_at": NOW - (events - number) * _STEP,
            "anchor": "why thought leadership matters",
            "context": "as the founder explained in this interview about backlinks",
            "source": "crawler-a",
        }
        yield key, orjson.dumps(event, option=orjson.OPT_UTC_Z)


async def send(bootstrap: str, topic: str, stream: Stream) -> None:
    """Send all of a stream's batches to a topic. A stream can be sent again."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        sent = [await producer.send_batch(batch, topic, partition=partition) for partition, batch in stream.batches]
        for acknowledged in sent:
            await acknowledged
