"""A worker with a million articles and twenty million links: its start, its memory, its rest, its speed.

- **Start**: ``ready_after_s`` is the time from the start of the process to /readyz; ``recovery_articles_per_s`` counts
  only what the worker says that its recovery took.
- **Memory**, of which a link takes L and an article A beyond its links, comes from three workers: one without articles
  (E), one with as many articles of one link each (T), and the large one after its recovery (R) and when it has judged
  its articles (J). L = (R - T) / (links - articles), and A = (J - E) / articles - L x links / articles: together with E
  they add up to J, so whatever is not a link's is an article's.
- **Rest**: `idle`. **Slowdown**: `slowdown`.

A worker that starts judges all its articles, little by little. ``judged_share`` says how many of them it had judged
when it was measured; with less than 1, ``bytes_per_article``, ``scrape_ms`` and the slowdown are not the whole truth.

The environment may set ARTICLES, LINKS, FEW_ARTICLES, FAST_ARTICLES, JUDGED_WITHIN_S, IDLE_S, IDLE_DAY_S,
SLOWDOWN_ROUNDS, SLOWDOWN_PROBE_EVENTS and SLOWDOWN_EVENTS.
"""

import time
from pathlib import Path
from statistics import median
from typing import Final

from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.latest_verdicts import latest_verdicts
from tests.bench.part import WrongResult, setting
from tests.bench.report import say
from tests.bench.state import idle, slowdown
from tests.bench.state.changelog import State, write_changelogs
from tests.bench.worker import PARTITIONS, Worker

_JUDGED_WITHIN_S: Final = 120
_LOOK_EVERY_S: Final = 2
_SCRAPES: Final = 20


def measure(bootstrap: str, folder: Path) -> dict[str, float]:
    """Return the figures. Raises LaunchError and WrongResult."""
    articles = setting("ARTICLES", 1_000_000)
    few_articles, fast_articles = setting("FEW_ARTICLES", 10_000), setting("FAST_ARTICLES", 60_000)
    links_mean = setting("LINKS", 20_000_000) / articles
    say(f"state: writing the changelogs of {articles:,} articles")
    links = write_changelogs(
        bootstrap,
        [
            State("many", PARTITIONS, articles, links_mean),
            State("one-link", PARTITIONS, articles, 1),
            State("few", PARTITIONS, few_articles, links_mean),
            State("fast", PARTITIONS, fast_articles, links_mean),
        ],
    )
    with Worker(bootstrap, "one-link", folder) as worker:
        one_link_bytes = worker.resident_bytes
    with Worker(bootstrap, "empty", folder) as empty, Worker(bootstrap, "many", folder) as many:
        empty_bytes, recovered_bytes = empty.resident_bytes, many.resident_bytes
        say(f"  ready after {many.ready_after_s:.1f} s, with {recovered_bytes / 1e6:,.0f} MB")
        figures = {
            "state_articles": articles,
            "state_links": links["many"],
            "ready_after_s": many.ready_after_s,
            "recovery_articles_per_s": articles / many.metric("flatline_recovery_duration_seconds"),
            "bytes_per_link": (recovered_bytes - one_link_bytes) / (links["many"] - articles),
        }
        give_up_at_s = many.ready_at_s + setting("JUDGED_WITHIN_S", _JUDGED_WITHIN_S)
        with Worker(bootstrap, "few", folder) as few:
            with Worker(bootstrap, "fast", folder, clock_speed=idle.clock_speed()) as fast:
                _judged(fast, fast_articles, give_up_at_s=give_up_at_s)
                judged = _judged(many, articles, give_up_at_s=give_up_at_s)
                beyond_links_bytes = many.resident_bytes - empty_bytes - figures["bytes_per_link"] * links["many"]
                figures |= {
                    "judged_share": judged / articles,
                    "bytes_per_article": beyond_links_bytes / articles,
                    "resident_bytes": many.resident_bytes,
                    "scrape_ms": _scrape_ms(many),
                    **idle.measure(many, empty=empty, fast=fast, articles=articles),
                }
            _check(few, articles=few_articles, links=links["few"])
            return figures | slowdown.measure(few=few, many=many, few_articles=few_articles, many_articles=articles)


def _judged(worker: Worker, articles: int, *, give_up_at_s: float) -> float:
    """Wait until all articles are judged, or until ``give_up_at_s``; return how many are."""
    while True:
        judged = worker.metric("flatline_articles")
        if judged >= articles or time.monotonic() > give_up_at_s:
            say(f"  {judged:,.0f} of {articles:,} articles were judged")
            return judged
        time.sleep(_LOOK_EVERY_S)


def _check(worker: Worker, *, articles: int, links: int) -> None:
    """Check that a worker's verdicts tell of what its changelog was written from. Raises WrongResult."""
    _judged(worker, articles, give_up_at_s=time.monotonic() + 5 * _JUDGED_WITHIN_S)
    verdicts = latest_verdicts(KafkaCluster(worker.bootstrap), worker.topics.verdicts)
    told = sum(verdict.gained_total for verdict in verdicts)
    if (len(verdicts), told) != (articles, links):
        raise WrongResult(
            f"The verdicts tell of {told:,} links of {len(verdicts):,} articles, not {links:,} of {articles:,}"
        )


def _scrape_ms(worker: Worker) -> float:
    took_s = []
    for _ in range(_SCRAPES):
        began_s = time.perf_counter()
        worker.scrape()
        took_s.append(time.perf_counter() - began_s)
    return median(took_s) * 1000
