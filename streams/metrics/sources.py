from collections.abc import Iterator

from prometheus_client import Metric

from flatline.metrics.families import gauge, single
from flatline.metrics.limits import SOURCES_LABELLED_MAX
from flatline.metrics.snapshot import Snapshot


def source_families(snapshot: Snapshot) -> Iterator[Metric]:
    """Yield how far sources see: of too many the stalest ones, measured by their own limits."""
    freshness = sorted(
        snapshot.freshness.items(), key=lambda item: (-item[1].staleness_ms / max(1, item[1].limit_ms), item[0])
    )[:SOURCES_LABELLED_MAX]
    yield gauge(
        "flatline_source_staleness_seconds",
        "How long ago a source had seen everything, by the worker's clock.",
        ["source"],
        (([source], each.staleness_ms / 1000) for source, each in freshness),
    )
    yield gauge(
        "flatline_source_staleness_limit_seconds",
        "How far a source may fall behind before it is stale: three of its own periods.",
        ["source"],
        (([source], each.limit_ms / 1000) for source, each in freshness),
    )
    yield gauge(
        "flatline_source_stale",
        "1 while a source is stale: days that it did not see count for no silence.",
        ["source"],
        (([source], each.is_stale) for source, each in freshness),
    )
    yield single(
        "flatline_sources_left_out",
        "Sources whose heartbeats had no place among the 500 that are tracked. They are known by their habits. A place "
        "is free again when a source finishes, or sends no heartbeat for 30 days and ten of its periods.",
        snapshot.sources_left_out,
    )
    rhythms = [(source, snapshot.rhythms[source]) for source, _ in freshness if source in snapshot.rhythms]
    yield gauge(
        "flatline_source_period_seconds",
        "How often a source is heard: as its heartbeats promise, else the gap between its days of reports that it "
        "hardly ever exceeds.",
        ["source"],
        (([source], rhythm.period_ms / 1000) for source, rhythm in rhythms),
    )
    yield gauge(
        "flatline_source_report_lag_seconds",
        "Within this time after they appear, four in five of a source's links are reported; absent until enough were. "
        "Silence is believed only beyond it.",
        ["source"],
        (([source], rhythm.lag_ms / 1000) for source, rhythm in rhythms if rhythm.lag_ms is not None),
    )
