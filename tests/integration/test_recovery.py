"""Recovery that is disturbed: nothing is judged, or written, from a state that is only half restored."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from aiokafka import AIOKafkaProducer

from flatline.domain.state.article import Article, Header, LinkObservation
from flatline.domain.state.link import ORGANIC
from flatline.domain.state.segment import Segment
from flatline.engine.batch_writer import write
from flatline.engine.log import Outgoing
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import Topics
from tests.integration.running import Installation
from tests.waiting import until

SLOW_WORKER = Path(__file__).with_name("slow_worker.py")
ARTICLES = 16_000
HOUR_MS = 3_600_000
T0_MS = 1_780_000_000_000


def _record(number: int, links: int) -> bytes:
    article = Article(b"key", Header(T0_MS), Segment())
    for page in range(1, links + 1):
        fingerprint = ((number * 10 + page) * 0x9E3779B97F4A7C15 % (1 << 64)).to_bytes(8, "big")
        observation = LinkObservation(
            article.key, fingerprint, page.to_bytes(6, "big"), True, T0_MS + page * HOUR_MS, ORGANIC
        )
        article.apply([observation], Counter())
    return article.encode()


def _changelog(topics: Topics) -> Iterator[Outgoing]:
    """Yield a changelog that is not compacted yet: every article as it was with one link, then with three."""
    for links in (1, 3):
        for number in range(ARTICLES):
            key = f"https://yours.example/{number}".encode()
            partition = partition_of(key, topics.changelog.partitions)
            yield Outgoing(topics.changelog.name, partition, key, _record(number, links))


async def _fill(bootstrap: str, topics: Topics) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=1 << 19)
    await producer.start()
    await write(producer, _changelog(topics))
    await producer.stop()


def test_a_rebalance_during_recovery(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """A second worker joins while the first one is still restoring: no article falls back to an older state."""
    topics, may_end = Topics(namespace=namespace, partitions=4), tmp_path / "may-end"
    with Installation(kafka_bootstrap, namespace, tmp_path) as installation:
        asyncio.run(_fill(kafka_bootstrap, topics))
        installation.start(1, SLOW_WORKER, RECOVERY_MAY_END=str(may_end))
        until("the first one restores all", lambda: "0 of 4 partitions" in installation.get(1, "/readyz")[1])
        installation.start(2, SLOW_WORKER, RECOVERY_MAY_END=str(may_end))
        for number in (1, 2):
            until("each restores half", lambda at=number: "0 of 2 partitions" in installation.get(at, "/readyz")[1])
        may_end.touch()
        installation.wait_ready(1)
        installation.wait_ready(2)
        articles = installation.articles()
        while len(articles) < ARTICLES:  # what is due is judged little by little
            time.sleep(1)
            articles = installation.articles()
        # It gave half of its partitions away before it had the state of any.
        assert "ready: 4 partitions" not in installation.log(1)
        # And whenever it said that it was ready, it knew all there was.
        assert len(set(re.findall(r"ready: .* (\d+) articles", installation.log(1)))) == 1
    assert Counter(article["gained_total"] for article in articles.values()) == {3: ARTICLES}
