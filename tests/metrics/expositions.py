"""Everything that the processes expose, in Prometheus' text format."""

from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, generate_latest

from flatline.api.metrics import ServeMetrics
from flatline.readmodel.queries.precision import MeasuredPrecision
from flatline.readmodel.queries.publishers import TurnedPublisher
from flatline.schema.connector_record import ConnectorStatus
from flatline_connectors.ingest.metrics import IngestMetrics
from flatline_connectors.runtime.metrics import ConnectMetrics
from tests.metrics.snapshots import SNAPSHOT, registry_of

_AT = datetime(2026, 5, 1, tzinfo=UTC)


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


def serve_exposition() -> str:
    """Return that of an API that has had a request."""
    metrics = ServeMetrics(CollectorRegistry())
    metrics.requests.labels(route="/api/v1/articles", code="200").inc()
    metrics.duration.labels(route="/api/v1/articles").observe(0.1)
    metrics.show_precision(MeasuredPrecision(decided=5, came_true=4, said_mean=0.8, right=3, expected=1, wrong=1))
    metrics.show_turned([TurnedPublisher("news.example", 6, 3, _AT, _AT)])
    metrics.connections_closed.labels(reason="idle").inc()
    return metrics.exposition().decode()


def connect_exposition() -> str:
    """Return that of a process with a connector that has run."""
    registry = CollectorRegistry()
    metrics = ConnectMetrics(registry)
    metrics.show("feeds", ConnectorStatus("feeds", "folder"), limits={"requests": 10}, left={"requests": 3})
    metrics.records.labels("feeds", "link").inc()
    metrics.rejected.labels("feeds", "invalid_json").inc()
    return generate_latest(registry).decode()
