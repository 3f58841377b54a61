"""The backtest accumulates what the worker accumulates."""

import json
from collections import Counter
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from flatline.agents.links import LinkAgent
from flatline.backtest.histories import Histories
from flatline.core import Core, native_core
from flatline.domain.policy.ignore import Ignore, Ignored
from flatline.domain.state.article import Article
from flatline.engine.log import MicroBatch
from flatline.engine.partition import Partition
from flatline.metrics import WorkerMetrics
from flatline.schema.topics import Topics
from flatline_connectors.files.lines import Line

NOW_MS = 1_700_000_000_000
IGNORED = Ignored.by(Ignore(referring_domains=["spam.example"], sources=["untrusted"], rel=["sponsored"]))


class Record(NamedTuple):
    """A record of Kafka's."""

    value: bytes
    offset: int
    timestamp: int = NOW_MS
    key: bytes | None = None
    headers: tuple[()] = ()


events = st.fixed_dictionaries(
    {
        "url_from": st.sampled_from(
            ["http://www.a.example/1/", "https://a.example/2", "https://x.spam.example/", "/no"]
        ),
        "url_to": st.sampled_from(
            ["https://t.example/", "http://t.example/index.html", "https://u.example/x?utm_id=1"]
        ),
        "change": st.sampled_from(["gained", "lost", "suspected"]),
        "lost_reason": st.sampled_from([None, "removed", "timeout"]),
        "discovery": st.sampled_from(["link_found", "import", "page_found"]),
        "rel": st.lists(st.sampled_from(["nofollow", "UGC", "sponsored"]), max_size=2),
        "placement": st.sampled_from([None, "footer", "content"]),
        "flags": st.sampled_from([None, ["spam"], ["redirect", "floor"]]),
        "observed_at": st.sampled_from([None, "2020-05-05T03:00:00Z", "2019-01-02T03:00:00+05:00"]),
        "source": st.sampled_from([None, "crawler", "untrusted"]),
        "occurred_at": st.sampled_from(
            [f"20{year}-01-{day:02}T03:00:00+05:00" for year in (19, 31) for day in (1, 2, 9)]
        ),
    }
)


def _known_of(article: Article) -> tuple[object, ...]:
    links = {known.page: known for segment in article.segments for known in segment.known()}
    return article.totals, article.header.sources, links


@pytest.mark.parametrize("core", [Core.PYTHON, Core.AUTO])
@given(st.lists(events, max_size=20), st.sampled_from([None, IGNORED]))
def test_the_worker_and_the_backtest_know_the_same(
    core: Core, events: list[dict[str, object]], ignored: Ignored | None
) -> None:
    """Whatever comes, counts, link days and what is left out are the same live and in a backtest."""
    values = [json.dumps(event).encode() for event in events]
    partition, metrics = Partition(), WorkerMetrics(CollectorRegistry())
    live = LinkAgent(topics=Topics(partitions=1), metrics=metrics, ignored=ignored, core=native_core(core))
    batch = MicroBatch("links", 0, [Record(value, offset) for offset, value in enumerate(values)])
    live.apply(batch, partition, now_ms=NOW_MS)

    histories = Histories()
    lines = [Line(number, value) for number, value in enumerate(values)]
    histories.read_links("f", lines, recorded_ms=NOW_MS, ignored=ignored)
    known = {}
    for history in histories:
        article = history.article()
        article.apply(history.observations, Counter())
        known[history.key] = _known_of(article)
    peeked = {key: partition.peek(key) for key in partition}
    assert known == {key: _known_of(article) for key, article in peeked.items() if article}
    assert histories.rejected.total() == len(partition.dead_letters)
    samples = [sample for metric in metrics.registry.collect() for sample in metric.samples]
    suspected = [sample.value for sample in samples if sample.labels.get("effect") == "suspected"]
    assert histories.suspected == sum(suspected)
