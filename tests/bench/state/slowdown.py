"""The same events through a worker that knows few articles, and through one that knows many.

The worker stands still while the events are written, which takes a second or two: all of them lie there before it
reads the first. Time is taken as `commits.rates` says.
"""

import asyncio
from statistics import median
from typing import Final

from tests.bench.commits import Rates, committed, follow, rates
from tests.bench.part import WrongResult, setting
from tests.bench.report import say
from tests.bench.state.streams import Stream, make_stream, send
from tests.bench.worker import Worker
from tests.local.observing import standing_still

_STREAM_S: Final = 14  # long enough for some commits, which come every five seconds while there is much to do
_PROBE_EVENTS: Final = 100_000
_SPREAD_FEWER: Final = 3


def measure(*, few: Worker, many: Worker, few_articles: int, many_articles: int) -> dict[str, float]:
    """Return the rates, and the slowdowns: the worker that knows few articles over the one that knows many.

    Both know articles 0, 1, 2, …, and the topics of links of both are empty. Raises WrongResult.
    """
    base, same, spread = [], [], []
    few_run, many_run = _Run(few), _Run(many)
    probe = make_stream(setting("SLOWDOWN_PROBE_EVENTS", _PROBE_EVENTS), articles=few_articles, seed=0)
    many_run.rates(probe)
    events = setting("SLOWDOWN_EVENTS", int(few_run.rates(probe).per_s * _STREAM_S))
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


class _Run:
    """Streams through one worker, whose topic of links is empty at first."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._topic = worker.topics.links.name
        self._sent = 0

    def rates(self, stream: Stream) -> Rates:
        """Send a stream and return how fast the worker takes it. Raises WrongResult when it does not take all."""
        with standing_still(self._worker.pid):
            asyncio.run(send(self._worker.bootstrap, self._topic, stream))
            before = committed(self._worker)
        self._sent += stream.events
        seen = follow(self._worker, after=before, until=self._sent)
        applied = self._worker.metric("flatline_link_events_total")
        if applied != self._sent:
            raise WrongResult(f"{self._topic}: {self._sent:,} events were sent, and {applied:,.0f} applied")
        return rates(seen, warm_up=sum(before) + 1)
