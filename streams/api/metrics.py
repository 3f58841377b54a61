"""All metrics of `flatline serve`."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from flatline.process_metrics import register_build, register_process
from flatline.readmodel.queries.precision import MeasuredPrecision
from flatline.readmodel.queries.publishers import TurnedPublisher
from flatline.schema.alert_mark import Mark

# A second series for each counter, of use to nobody here.
disable_created_metrics()  # type: ignore[no-untyped-call]

_PUBLISHERS_MAX: Final = 10
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class ServeMetrics:
    """The metrics, in a registry of their own. A ``route`` is one of the API's, so there are few."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self.requests = Counter(
            "flatline_serve_requests",
            "Requests to the API, by route and HTTP status. 503: the read model is being made, a query took too long, "
            "or there were too many requests.",
            ["route", "code"],
            registry=registry,
        )
        self.duration = Histogram(
            "flatline_serve_request_duration_seconds",
            "Time from the head of a request to the end of its answer, without exports and live feeds.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.records = Counter(
            "flatline_serve_records",
            "Records of all topics that this process applied to its read model.",
            registry=registry,
        )
        self.waiting = Gauge(
            "flatline_serve_waiting_records",
            "Records of all topics that the read model does not hold yet. Answers are as old as the oldest of them.",
            registry=registry,
        )
        self.current = Gauge(
            "flatline_serve_current",
            "1 if the read model that answers follows the topics; 0 while it is made anew. Until then, what was read "
            "before answers, if there is anything.",
            registry=registry,
        )
        self.writer = Gauge(
            "flatline_serve_writer",
            "1 if this process writes the read model; 0 if it reads what another one writes.",
            registry=registry,
        )
        self.live_feeds = Gauge(
            "flatline_serve_live_feeds", "Open live feeds. At 200, further ones are refused.", registry=registry
        )
        self.alerts_decided = Gauge(
            "flatline_alerts_decided",
            "Alerts that an article is silent, by whether they came true: whether no link came in the days that the "
            "alert spoke of. The same on every `flatline serve`. Those whose days are not over yet are not counted.",
            ["outcome"],
            registry=registry,
        )
        self.alerts_said = Gauge(
            "flatline_alerts_said_probability_ratio",
            "Mean of the probabilities that these alerts said. Compare it with the share of them that came true.",
            registry=registry,
        )
        self.alerts_marked = Gauge(
            "flatline_alerts_marked", "Alerts of all kinds, by what people say of them.", ["mark"], registry=registry
        )
        self.turned_nofollow = Gauge(
            "flatline_publisher_turned_nofollow_links",
            "Live links of a publisher (a registrable domain) that turned nofollow within two weeks and still are. The "
            "ten publishers with the most such links, from five links on. The same on every `flatline serve`.",
            ["publisher"],
            registry=registry,
        )
        self.connections = Gauge(
            "flatline_serve_connections",
            "Open connections. At 512, a new connection replaces the oldest one.",
            registry=registry,
        )
        self.connections_closed = Counter(
            "flatline_serve_connections_closed",
            "Connections that the server closed. too_many: there was no room; slow_head: the head of a request was not "
            "complete in time; idle: no further request came, which is normal.",
            ["reason"],
            registry=registry,
        )
        register_build(registry)
        register_process(registry)

    def show_precision(self, precision: MeasuredPrecision) -> None:
        """Show how right alerts were."""
        self.alerts_decided.labels(outcome="came_true").set(precision.came_true)
        self.alerts_decided.labels(outcome="did_not").set(precision.decided - precision.came_true)
        self.alerts_said.set(float("nan") if precision.said_mean is None else precision.said_mean)
        for mark in (Mark.RIGHT, Mark.EXPECTED, Mark.WRONG):
            self.alerts_marked.labels(mark=mark.value).set(getattr(precision, mark.value))

    def show_turned(self, publishers: Sequence[TurnedPublisher]) -> None:
        """Show which publishers made links nofollow, those with most links first."""
        self.turned_nofollow.clear()
        for publisher in publishers[:_PUBLISHERS_MAX]:
            self.turned_nofollow.labels(publisher=publisher.domain).set(publisher.links)

    def exposition(self) -> bytes:
        """Return all of them in Prometheus' text format."""
        return generate_latest(self._registry)
