"""All metrics of the ingest."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class IngestMetrics:
    """The metrics, in a registry of their own. A ``source`` is a token's, so there are as many as tokens."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self.requests = Counter(
            "flatline_ingest_requests_total", "Requests to /v1, by HTTP status.", ["code"], registry=registry
        )
        self.events = Counter(
            "flatline_ingest_events_total",
            "Events that Kafka acknowledged, as links or visits (accepted) or as dead letters (rejected).",
            ["source", "outcome"],
            registry=registry,
        )
        self.rejected = Counter(
            "flatline_ingest_rejected_total", "Rejected events, by reason.", ["reason"], registry=registry
        )
        self.duration = Histogram(
            "flatline_ingest_request_duration_seconds",
            "From the head of a request to /v1 to its answer.",
            buckets=_SECONDS,
            registry=registry,
        )

    def exposition(self) -> bytes:
        """Return all of them in Prometheus' text format."""
        return generate_latest(self._registry)
