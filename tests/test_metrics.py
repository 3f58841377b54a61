"""The worker's metrics: bounded, rightly named, and true to the snapshot."""

import re

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streams.domain.link import Effect
from streams.domain.sources import Freshness
from streams.metrics import OTHER, SERIES_LABELLED_MAX, SOURCES_LABELLED_MAX, Gauges, Snapshot, WorkerMetrics
from streams.schema.verdict import State
from tests.domain.test_watch_list import watched

SNAPSHOT = Snapshot(
    tally={(State.SILENT, "Notes"): 1, (State.STEADY, "Notes"): 1, (State.STEADY, None): 1},
    watched=[watched('https://yours.example/"quoted"\\path', State.SILENT, tier=1)],
    watch_list_left_out=3,
    freshness={"north": Freshness(staleness_ms=5_000, limit_ms=3_000)},
    lag={("links", 0): 7},
    partitions_assigned=4,
    partitions_recovered=3,
    recovery_s=1.5,
    last_commit_s=1_780_000_000.5,
    is_stuck=False,
    event_loop_lag_s=0.01,
    rebalances=2,
)


def _samples(registry: CollectorRegistry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def _registry(snapshot: Snapshot) -> CollectorRegistry:
    registry = CollectorRegistry()
    WorkerMetrics(registry)
    registry.register(Gauges(lambda: snapshot))
    return registry


def test_gauges_show_the_snapshot() -> None:
    """What is scraped, read back by a parser, is what the snapshot says; foreign text survives as a label."""
    samples = _samples(_registry(SNAPSHOT))
    article = ("article", 'yours.example/"quoted"\\path')
    assert samples["flatline_articles", (("state", "steady"),)] == 2
    assert samples["flatline_articles", (("state", "new"),)] == 0
    assert samples["flatline_series_articles", (("series", "Notes"), ("state", "silent"))] == 1
    assert samples["flatline_watched_article_state", (article, ("state", "silent"))] == 1
    assert samples["flatline_watched_article_state", (article, ("state", "steady"))] == 0
    assert samples["flatline_watched_article_finding", (article, ("finding", "mass_loss"))] == 0
    assert samples["flatline_watched_article_days_since_last_link", (article,)] == 9
    assert samples["flatline_watch_list_left_out", ()] == 3
    assert samples["flatline_source_stale", (("source", "north"),)] == 1
    assert samples["flatline_source_staleness_seconds", (("source", "north"),)] == 5
    assert samples["flatline_consumer_lag_records", (("partition", "0"), ("topic", "links"))] == 7
    assert samples["flatline_partitions", (("phase", "recovered"),)] == 3


def test_names_follow_prometheus() -> None:
    """Names are ours, in snake case, with base units; every metric has a help text."""
    text = generate_latest(_registry(SNAPSHOT)).decode()
    names = re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)
    assert all(re.fullmatch(r"flatline_[a-z_]+", name) for name in names)
    assert not [name for name in names if re.search(r"_(ms|milliseconds|minutes|hours|percent)$", name)]
    assert all(re.search(rf"^# HELP {name} \S", text, re.MULTILINE) for name in names)


def test_sources_and_series_are_bounded() -> None:
    """However many sources and series there are, the labels are bounded, and nothing is left uncounted."""
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry)
    for number in range(SOURCES_LABELLED_MAX * 2):
        metrics.count_events({(f"source-{number}", Effect.GAINED): 1})
    series = {(State.STEADY, f"series-{number}"): 1 for number in range(SERIES_LABELLED_MAX * 2)}
    registry.register(Gauges(lambda: SNAPSHOT._replace(tally=series)))
    samples = _samples(registry)
    events = {labels: value for (name, labels), value in samples.items() if name == "flatline_link_events_total"}
    assert len(events) == SOURCES_LABELLED_MAX + 1
    assert sum(events.values()) == SOURCES_LABELLED_MAX * 2
    by_series = {labels: value for (name, labels), value in samples.items() if name == "flatline_series_articles"}
    assert len(by_series) == SERIES_LABELLED_MAX + 1
    assert by_series[("series", OTHER), ("state", "steady")] == SERIES_LABELLED_MAX
