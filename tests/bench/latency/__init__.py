"""How long an event takes at a steady rate: from the producer's send until its verdict, and its metric, can be read.

- **Verdict**: an event is the n-th link of its article, and is in the first verdict that counts n or more. The time
  ends when a consumer of the topic has that verdict.
- **Metric**: the n-th event sent is in the first scrape that counts n or more, over all articles. There is a scrape
  every `_SCRAPE_EVERY_S`, which is a part of this figure.

The producer is a process of its own. What it sends in the first seconds doesn't count.

The environment may set LATENCY_EVENTS_PER_S, LATENCY_SECONDS and LATENCY_WARM_UP_S.
"""

import asyncio
import sys
import time
from bisect import bisect_left
from collections import defaultdict
from pathlib import Path
from statistics import quantiles
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from flatline.local.processes import Child, Process
from flatline.schema import codec
from flatline.schema.topics import Topic
from tests.bench.part import WrongResult, setting
from tests.bench.report import say
from tests.bench.worker import Worker, topics

_NAMESPACE: Final = "latency"
_SCRAPE_EVERY_S: Final = 0.1
_GIVE_UP_AFTER_S: Final = 300


def measure(bootstrap: str, folder: Path) -> dict[str, float]:
    """Return the percentiles. Raises LaunchError and WrongResult."""
    events_per_s, seconds = setting("LATENCY_EVENTS_PER_S", 5_000), setting("LATENCY_SECONDS", 25)
    say(f"latency: {events_per_s:,} events/s for {seconds} s")
    with Worker(bootstrap, _NAMESPACE, folder) as worker:
        return asyncio.run(_Observation(worker, events_per_s * seconds).measure(events_per_s, folder))


class _Observation:
    """What is seen of a stream of events. All instants are in ms by the wall clock."""

    def __init__(self, worker: Worker, events: int) -> None:
        self._worker = worker
        self._events = events
        self._published_ms: defaultdict[bytes, list[float]] = defaultdict(list)  # article -> instant of its n-th link
        self._published = 0
        self._scrapes: list[tuple[float, float]] = [(0, 0)]  # instant, events counted

    async def measure(self, events_per_s: int, folder: Path) -> dict[str, float]:
        """Have the events sent, and return the percentiles of what they took. Raises WrongResult."""
        command = [self._worker.bootstrap, topics(_NAMESPACE).links.name, str(self._events), str(events_per_s)]
        process = Process(
            "sender",
            [sys.executable, "-m", "tests.bench.latency.sender", *command],
            self._worker.bootstrap,
            is_ready=lambda: True,
        )
        async with _consumer(self._worker.bootstrap, topics(_NAMESPACE).verdicts) as verdicts:
            sender = Child(process, folder)
            try:
                async with asyncio.timeout(self._events / events_per_s + _GIVE_UP_AFTER_S):
                    await asyncio.gather(self._read(verdicts), self._scrape())
            except TimeoutError:
                seen = f"{self._published:,} are in verdicts, {self._scrapes[-1][1]:,.0f} in metrics"
                raise WrongResult(f"Of {self._events:,} events {seen}.{sender.last_lines()}") from None
            finally:
                sender.terminate()
                sender.wait_ended(time.monotonic() + 5)
        if (counts := (self._published, self._scrapes[-1][1])) != (self._events, self._events):
            raise WrongResult(f"Of {self._events:,} events {counts[0]:,} are in verdicts, {counts[1]:,.0f} in metrics")
        return self._percentiles(await self._sent())

    async def _read(self, verdicts: AIOKafkaConsumer) -> None:
        """Note when each verdict comes, until all events are in one."""
        while self._published < self._events:
            fetched = await verdicts.getmany(timeout_ms=1_000)
            now_ms = time.time() * 1000
            for records in fetched.values():
                for record in records:
                    published_ms = self._published_ms[record.key]
                    new = codec.verdicts.decode(record.value).gained_total - len(published_ms)
                    published_ms += [now_ms] * new
                    self._published += new

    async def _scrape(self) -> None:
        while self._scrapes[-1][1] < self._events:
            next_s = time.monotonic() + _SCRAPE_EVERY_S
            counted = await asyncio.to_thread(self._worker.metric, "flatline_link_events_total")
            self._scrapes.append((time.time() * 1000, counted))
            await asyncio.sleep(max(0, next_s - time.monotonic()))

    async def _sent(self) -> list[tuple[float, bytes]]:
        """Return when each event was sent, and its article, in order of sending."""
        sent: list[tuple[float, bytes]] = []
        async with _consumer(self._worker.bootstrap, topics(_NAMESPACE).links) as links:
            while len(sent) < self._events:
                for records in (await links.getmany(timeout_ms=1_000)).values():
                    sent += [(record.timestamp, record.key) for record in records]
        return sorted(sent)

    def _percentiles(self, sent: list[tuple[float, bytes]]) -> dict[str, float]:
        counted_from_ms = sent[0][0] + setting("LATENCY_WARM_UP_S", 5) * 1000
        counts = [count for _, count in self._scrapes]
        links: defaultdict[bytes, int] = defaultdict(int)
        verdict_ms, metric_ms = [], []
        for number, (sent_ms, article) in enumerate(sent, start=1):
            published_ms = self._published_ms[article][links[article]]
            links[article] += 1
            if sent_ms >= counted_from_ms:
                verdict_ms.append(published_ms - sent_ms)
                metric_ms.append(self._scrapes[bisect_left(counts, number)][0] - sent_ms)
        rate = (len(sent) - 1) * 1000 / (sent[-1][0] - sent[0][0])
        verdict, metric = quantiles(verdict_ms, n=100), quantiles(metric_ms, n=100)
        return {
            "latency_events_per_s": rate,
            "latency_p50_ms": verdict[49],
            "latency_p99_ms": verdict[98],
            "metric_latency_p50_ms": metric[49],
            "metric_latency_p99_ms": metric[98],
        }


def _consumer(bootstrap: str, topic: Topic) -> AIOKafkaConsumer:
    """Return a consumer of a topic, from its beginning and outside any group."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic.name, number) for number in range(topic.partitions)])
    return consumer
