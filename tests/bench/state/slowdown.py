"""The same events through a worker that knows few articles, and through one that knows many.

The worker stands still while the events are written, which takes a second or two: all of them lie there before it
reads the first. Time is taken from outside, between two commits of the consumer group: the first one, and the last one
before the end. What was committed in between was applied, judged and made durable in between. (Where there are no two
such commits, as with the first events, which only tell how many it takes, it is taken over all of them.)
"""

import asyncio
import time
from statistics import median
from typing import Final, NamedTuple

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import RetriableError

from tests.bench.part import WrongResult, setting
from tests.bench.report import say
from tests.bench.state.streams import Stream, make_stream, send
from tests.bench.worker import PARTITIONS, Worker, topics

_STREAM_S: Final = 6  # long enough for some commits, which come once a second
_PROBE_EVENTS: Final = 100_000
_SPREAD_FEWER: Final = 3
_ASK_EVERY_S: Final = 0.02
_GIVE_UP_AFTER_S: Final = 120


def measure(*, few: Worker, many: Worker, few_articles: int, many_articles: int) -> dict[str, float]:
    """Return the rates, and the slowdowns: the worker that knows few articles over the one that knows many.

    Both know articles 0, 1, 2, …, and the topics of links of both are empty. Raises WrongResult.
    """
    base, same, spread = [], [], []
    few_run, many_run = _Run(few), _Run(many)
    probe = make_stream(_PROBE_EVENTS, articles=few_articles, seed=0)
    many_run.rates(probe)
    events = int(few_run.rates(probe).per_s * _STREAM_S)
    for number in range(1, setting("SLOWDOWN_ROUNDS", 2) + 1):
        stream = make_stream(events, articles=few_articles, seed=2 * number)
        spread_stream = make_stream(events // _SPREAD_FEWER, articles=many_articles, seed=2 * number + 1)
        # In turns, so that a machine that gets slower gets slower for all.
        base.append(few_run.rates(stream))
        same.append(many_run.rates(stream))
        spread.append(many_run.rates(spread_stream))
        few_s, many_s, spread_s = (f"{rates[-1].per_s:,.0f}" for rates in (base, same, spread))
        say(f"  few articles: {few_s} events/s; many: {many_s}; spread over many: {spread_s}")
    return {
        "few_articles_events_per_s": median(rates.per_s for rates in base),
        "million_articles_events_per_s": median(rates.per_s for rates in same),
        "million_articles_spread_events_per_s": median(rates.per_s for rates in spread),
        "slowdown_million_articles": median(a.per_s / b.per_s for a, b in zip(base, same, strict=True)),
        "slowdown_million_articles_spread": median(a.per_s / b.per_s for a, b in zip(base, spread, strict=True)),
        "slowdown_million_articles_cpu": median(a.per_cpu_s / b.per_cpu_s for a, b in zip(base, same, strict=True)),
    }


class _Commit(NamedTuple):
    """What a commit of the group was seen to be."""

    at_s: float
    cpu_s: float  # what the worker had used by then
    events: int  # committed, over all partitions


class _Rates(NamedTuple):
    """Events per second, and per second of processor time, which others on the machine disturb less."""

    per_s: float
    per_cpu_s: float


class _Run:
    """Streams through one worker, whose topic of links is empty at first."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._topic = topics(worker.namespace).links.name
        self._sent = 0

    def rates(self, stream: Stream) -> _Rates:
        """Send a stream and return how fast the worker takes it. Raises WrongResult when it does not take all."""
        with self._worker.stopped():
            asyncio.run(send(self._worker.bootstrap, self._topic, stream))
        before, self._sent = self._sent, self._sent + stream.events
        commits = self._commits(before)
        between = [commit for commit in commits if before < commit.events < self._sent]
        applied = self._worker.metric("flatline_link_events_total")
        if applied != self._sent:
            raise WrongResult(f"{self._topic}: {self._sent:,} events were sent, and {applied:,.0f} applied")
        first, *_, last = between if len(between) > 1 else commits
        events = last.events - first.events
        return _Rates(events / (last.at_s - first.at_s), events / (last.cpu_s - first.cpu_s))

    def _commits(self, before: int) -> list[_Commit]:
        """Wait until the last event sent is committed; return every commit on the way, and the last one ``before``."""
        commits = [_Commit(time.monotonic(), self._worker.cpu_s, before)]
        give_up_at_s = time.monotonic() + _GIVE_UP_AFTER_S
        with KafkaAdminClient(bootstrap_servers=self._worker.bootstrap) as admin:
            while commits[-1].events < self._sent:
                if time.monotonic() > give_up_at_s:
                    raise WrongResult(f"{self._topic}: {commits[-1].events:,} of {self._sent:,} events are committed")
                events = self._committed(admin)
                if events is not None and events != commits[-1].events:
                    commits.append(_Commit(time.monotonic(), self._worker.cpu_s, events))
                time.sleep(_ASK_EVERY_S)
        return commits

    def _committed(self, admin: KafkaAdminClient) -> int | None:
        """Return the events committed over all partitions; None when the broker can't say just now."""
        group = self._worker.namespace
        partitions = [TopicPartition(self._topic, number) for number in range(PARTITIONS)]
        try:
            found = admin.list_group_offsets({group: partitions})[group]
        except RetriableError:  # a busy broker loses the group's coordinator for a moment
            return None
        return sum(max(int(each.offset), 0) for each in found.values())
