"""Everything that the worker and the ingest expose, in Prometheus' text format."""

from prometheus_client import CollectorRegistry, generate_latest

from flatline_connectors.ingest.metrics import IngestMetrics
from tests.metrics.snapshots import SNAPSHOT, registry_of


def worker_exposition() -> str:
    """Return that of a worker on which every metric has a series."""
    return generate_latest(registry_of(SNAPSHOT)).decode()


def ingest_exposition() -> str:
    """Return that of an ingest that has had a request."""
    metrics = IngestMetrics(CollectorRegistry())
    metrics.requests.labels(code="200").inc()
    metrics.events.labels(source="north", outcome="accepted").inc()
    metrics.rejected.labels(source="north", reason="not_json").inc()
    metrics.duration.observe(0.1)
    metrics.refused.labels(code="too_busy").inc()
    metrics.connections_closed.labels(reason="slow_head").inc()
    return metrics.exposition().decode()
