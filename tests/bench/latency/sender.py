"""`python -m tests.bench.latency.sender BOOTSTRAP TOPIC EVENTS EVENTS_PER_S`: sends at a steady rate, then ends."""

import asyncio
import sys
import time
from typing import Final

import orjson
from aiokafka import AIOKafkaProducer

from flatline.schema.partitioning import partition_of
from tests.bench.worker import NOW, PARTITIONS

_ARTICLES: Final = 2_000
_TICK_S: Final = 0.005
_LINGER_MS: Final = 5


async def main(bootstrap: str, topic: str, events: int, events_per_s: int) -> None:
    """Send events, each one a new link, to the articles in turn."""
    keys = [b"https://blog.example.com/articles/%d" % number for number in range(_ARTICLES)]
    partitions = [partition_of(key, PARTITIONS) for key in keys]
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=_LINGER_MS) as producer:
        began_s, sent = time.monotonic(), 0
        while sent < events:
            for number in range(sent, min(events, int((time.monotonic() - began_s) * events_per_s))):
                article = number % _ARTICLES
                await producer.send(
                    topic,
                    _event(number, keys[article]),
                    key=keys[article],
                    partition=partitions[article],
                    timestamp_ms=time.time_ns() // 1_000_000,
                )
                sent += 1
            await asyncio.sleep(_TICK_S)


def _event(number: int, key: bytes) -> bytes:
    return orjson.dumps(
        {
            "version": 1,
            "url_from": f"https://site{number % 49_999}.example/posts/{number}/why",
            "url_to": key.decode(),
            "change": "gained",
            "occurred_at": NOW,
            "anchor": "why thought leadership matters",
            "context": "as the founder explained in this interview about backlinks",
            "source": "crawler-a",
        },
        option=orjson.OPT_UTC_Z,
    )


if __name__ == "__main__":
    bootstrap, topic, *numbers = sys.argv[1:]
    asyncio.run(main(bootstrap, topic, *map(int, numbers)))
