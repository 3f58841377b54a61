"""All metrics of the ingest."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from flatline.process_metrics import register_build, register_process

# A second series for each counter, of use to nobody here.
disable_created_metrics()  # type: ignore[no-untyped-call]

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class IngestMetrics:
    """The metrics, in a registry of their own. A ``source`` is a token's, so there are as many as tokens."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self.requests = Counter(
            "flatline_ingest_requests",
            "Requests to /v1, by HTTP status. 5xx: Kafka could not be reached, and senders were told to retry; "
            "429: a sender is faster than allowed; 401: a token is wrong.",
            ["code"],
            registry=registry,
        )
        self.events = Counter(
            "flatline_ingest_events",
            "Events that Kafka acknowledged, as links or visits (accepted) or as dead letters (rejected). The "
            "share of rejected events tells a broken sender from a single broken event.",
            ["source", "outcome"],
            registry=registry,
        )
        self.rejected = Counter(
            "flatline_ingest_rejected",
            "Rejected events by reason. The sender was told which events and why, and they are in the dead-letter "
            "topic.",
            ["source", "reason"],
            registry=registry,
        )
        self.duration = Histogram(
            "flatline_ingest_request_duration_seconds",
            "Time from the head of a request to /v1 to its response, which waits until Kafka has every event.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.refused = Counter(
            "flatline_ingest_refused",
            "Requests to /v1 that were refused as a whole, by the code in the response. too_busy: too many "
            "requests or bytes at a time; too_many_events_per_s, too_many_bytes_per_s: a source is faster than "
            "its limit; kafka_unavailable: Kafka did not acknowledge in time.",
            ["code"],
            registry=registry,
        )
        self.body_bytes = Gauge(
            "flatline_ingest_body_bytes_in_flight",
            "Bytes of request bodies that were received and not yet answered. At "
            "FLATLINE_INGEST_MAX_BYTES_IN_FLIGHT, further requests are refused as too_busy.",
            registry=registry,
        )
        self.connections = Gauge(
            "flatline_ingest_connections",
            "Open connections. At FLATLINE_INGEST_MAX_CONNECTIONS, a new connection replaces the oldest one that "
            "has not sent a valid token.",
            registry=registry,
        )
        self.connections_closed = Counter(
            "flatline_ingest_connections_closed",
            "Connections that the ingest closed. too_many: there was no room; slow_head: the head of a request "
            "was not complete in time, for example because a client holds connections open on purpose; idle: no "
            "further request came, which is normal.",
            ["reason"],
            registry=registry,
        )
        self.webmentions = Counter(
            "flatline_ingest_webmentions",
            "Webmentions by what became of them: received, refused (too many wait), verified (the link is there), "
            "deleted (it was there and is gone), rejected (it was never there), postponed (the source can't be read "
            "now), failed (it can't be read).",
            ["outcome"],
            registry=registry,
        )
        self.webmentions_pending = Gauge(
            "flatline_ingest_webmentions_pending", "Webmentions that wait to be verified.", registry=registry
        )
        self.webmention_io_notices = Counter(
            "flatline_ingest_webmention_io_notices",
            "Notices of webmention.io's web hook by what became of them: taken, deleted (the mention is gone), ignored "
            "(private, or of another site), invalid (no notice, or no link), refused (the secret is wrong).",
            ["outcome"],
            registry=registry,
        )
        register_build(registry)
        register_process(registry)

    def exposition(self) -> bytes:
        """Return all of them in Prometheus' text format."""
        return generate_latest(self._registry)
