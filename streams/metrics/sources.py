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
        "How long ago a source's reports end, by the worker's clock.",
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
        "1 while a source is stale. Days that it did not cover do not count towards any article's silence.",
        ["source"],
        (([source], each.is_stale) for source, each in freshness),
    )
    yield single(
        "flatline_sources_left_out",
        "Sources whose heartbeats are not tracked because 500 others are; they are known by their habits instead. "
        "A place becomes free when a source finishes, or does not report for 30 days and ten of its periods.",
        snapshot.sources_left_out,
    )
    rhythms = [
        (source, snapshot.reporting_periods[source]) for source, _ in freshness if source in snapshot.reporting_periods
    ]
    yield gauge(
        "flatline_source_period_seconds",
        "How often a source reports: as announced by its heartbeats; otherwise a gap between its reporting days "
        "that it hardly ever exceeds.",
        ["source"],
        (([source], rhythm.period_ms / 1000) for source, rhythm in rhythms),
    )
    yield gauge(
        "flatline_source_report_lag_seconds",
        "Time within which four in five of a source's links are reported after they appear. Absent until there "
        "are enough reports. More recent days do not count as silence.",
        ["source"],
        (([source], rhythm.lag_ms / 1000) for source, rhythm in rhythms if rhythm.lag_ms is not None),
    )
