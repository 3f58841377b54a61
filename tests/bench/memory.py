"""What articles take of a worker, by how many links they have: `python -m tests.bench.memory`.

Link records are applied by the worker's own agent to one partition, without Kafka, in a process for each number of
links. Another process restores what the first one wrote, as a worker does that starts.

- **Memory while links arrive** is what the first process has grown by, an article.
- **Memory at rest** is what the second one has grown by: nothing has changed since the start.
- **State** is what is left of the changelog after its compaction, a link.
- **Time** is processor time, so that other processes hardly matter: decoding, applying and encoding, without Kafka.

The environment may set MEMORY_LINKS, how many links there are of each kind of article.
"""

import asyncio
import gc
import os
import pickle
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import orjson
from prometheus_client import CollectorRegistry

from flatline.agents.links import LinkAgent
from flatline.domain.time import DAY_MS
from flatline.engine.log import MicroBatch
from flatline.engine.partition import Partition
from flatline.metrics import WorkerMetrics
from flatline.schema.topics import Topics
from tests.bench.part import WrongResult, run, setting
from tests.bench.report import table

NOW_MS: Final = 1_790_000_000_000
BATCH: Final = 10_000
LINKS_AN_ARTICLE: Final = (1, 10, 100, 1_000)


class Applied(NamedTuple):
    """What applying links took: bytes of memory, bytes of changelog and seconds of processor time, each in all."""

    memory_bytes: int
    state_bytes: int
    processor_s: float


def measure(_bootstrap: str, folder: Path) -> dict[str, float]:
    """Return the figures. Raises WrongResult."""
    links = setting("MEMORY_LINKS", 1_000_000)
    figures: dict[str, float] = {}
    rows = []
    for each in LINKS_AN_ARTICLE:
        articles = max(1, min(links, 200_000 * each) // each)
        file = folder / f"state-{each}"
        applied: Applied = _in_process(_apply, articles, each, file)
        rest_bytes: int = _in_process(_restore, articles, each, file)
        found = {
            "memory_bytes_per_article": applied.memory_bytes / articles,
            "rest_bytes_per_article": rest_bytes / articles,
            "state_bytes_per_link": applied.state_bytes / articles / each,
            "apply_us_per_link": applied.processor_s / articles / each * 1e6,
        }
        rows.append((f"{each:,}", f"{articles:,}", *(f"{figure:,.0f}" for figure in found.values())))
        figures |= {f"{name}_with_{each}": figure for name, figure in found.items()}
    headings = ("links an article", "articles", "bytes, arriving", "bytes, at rest", "state bytes a link", "µs a link")
    table(headings, rows)
    return figures


def _in_process(function: Any, *arguments: object) -> Any:
    """Return what a function returns in a process of its own, so that memory is new."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def _apply(articles: int, links: int, file: Path) -> Applied:
    return asyncio.run(_apply_all(articles, links, file))


async def _apply_all(articles: int, links: int, file: Path) -> Applied:
    topics = Topics(partitions=1)
    agent = LinkAgent(topics=topics, metrics=WorkerMetrics(CollectorRegistry()))
    partition, written, processor_s = Partition(), dict[bytes, bytes](), 0.0
    before = _resident_bytes()
    for records in _batches(articles, links):
        batch = MicroBatch(topics.links.name, 0, records, records[-1].offset + 1)
        began_s = time.process_time()
        agent.apply(batch, partition, now_ms=NOW_MS)
        changes = dict(partition.take_changes())
        await partition.cool()
        processor_s += time.process_time() - began_s
        written |= {key: value for key, value in changes.items() if value is not None}
    state_bytes = sum(len(key) + len(value) for key, value in written.items())
    _keep(written, file)
    del written, changes, batch, records
    return Applied(_resident_bytes() - before, state_bytes, processor_s)


def _keep(state: dict[bytes, bytes], file: Path) -> None:
    file.write_bytes(pickle.dumps(list(state.items())))


def _restore(articles: int, links: int, file: Path) -> int:
    """Return how many bytes of memory it takes. Raises WrongResult unless all links are in it."""
    state: list[tuple[bytes, bytes]] = pickle.loads(file.read_bytes())
    partition, before = Partition(), _resident_bytes()
    for key, value in state:
        # Copies: what comes from Kafka is new as well.
        partition.restore(bytes(bytearray(key)), bytes(bytearray(value)))
    taken = _resident_bytes() - before
    counted = sum(article.totals.gained for key in partition if (article := partition.peek(key)) is not None)
    if counted != articles * links:
        raise WrongResult(f"{counted:,} links were counted, not {articles * links:,}")
    return taken


def _batches(articles: int, links: int) -> Iterator[list[Any]]:
    """Yield records of links, evenly over articles, of 5,000 domains and 2,000 days."""
    batch: list[Any] = []
    for number in range(articles * links):
        article, link = number % articles, number // articles
        at_ms = NOW_MS - (link * 7_919 + article) % 2_000 * DAY_MS
        event = {
            "url_from": f"https://site{(article * 31 + link) % 5_000}.com/posts/{number}-about-something",
            "url_to": f"https://blog.example.com/articles/{article}-some-title-of-usual-length",
            "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_ms / 1000)),
            "source": f"crawler-{article % 3}",
        }
        value = orjson.dumps(event)
        batch.append(SimpleNamespace(offset=number, value=value, timestamp=NOW_MS, key=None, headers=()))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    sys.exit(run(measure))
