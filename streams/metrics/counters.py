from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from flatline.domain.state.link import Effect
from flatline.metrics.limits import OTHER, SOURCES_LABELLED_MAX

# A second series for each counter, of use to nobody here.
disable_created_metrics()  # type: ignore[no-untyped-call]

UNNAMED = "unnamed"
_COMMIT_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# The README names 0.06 s and 0.17 s until a link is in the metric; what waited while a worker was down takes hours.
_LATENCY_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3_600)


class WorkerMetrics:
    """Counters that code increments, and the histograms."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._sources: set[str] = set()
        self._link_events = Counter(
            "flatline_link_events",
            "Link events applied, by source and by what they changed. gained: links nobody had reported before; "
            "seen_again: nothing new, as when a second source corroborates a link; ignored: the policy leaves them "
            "out. A source whose gained stops while the others' goes on has a problem of its own.",
            ["source", "effect"],
            registry=registry,
        )
        self.dead_letters = Counter(
            "flatline_dead_letters",
            "Records that could not be read and went to the dead-letter topic, by topic and reason. Each is missing "
            "from every figure until its producer is mended and sends it again.",
            ["topic", "reason"],
            registry=registry,
        )
        self.forwarded = Counter(
            "flatline_records_forwarded",
            "Records sent on to the partition where their article lives: their producer keyed them otherwise. "
            "Harmless; a producer that keys by canonical URL saves the second trip.",
            ["topic"],
            registry=registry,
        )
        self._event_time_clamped = Counter(
            "flatline_event_time_clamped",
            "Link events dated before the web or after their own record, by source: a clock is wrong there. They "
            "count, at the nearest possible time.",
            ["source"],
            registry=registry,
        )
        self.commit_duration = Histogram(
            "flatline_commit_duration_seconds",
            "Time to judge what is due, up to 0.4 s, and to make it durable with all that was applied and its offsets. "
            "Beyond a second, Kafka or its disk is slow.",
            buckets=_COMMIT_S,
            registry=registry,
        )
        self._apply_latency = Histogram(
            "flatline_apply_latency_seconds",
            "From the time of a batch's newest record to its application, once a batch. Large while a backlog is "
            "worked off; else what a link takes to be counted.",
            buckets=_LATENCY_S,
            registry=registry,
        )

    def count_events(self, effects: Mapping[tuple[str | None, Effect], int]) -> None:
        """Count link events by source and effect. Sources beyond SOURCES_LABELLED_MAX are counted as OTHER."""
        for (source, effect), events in effects.items():
            self._link_events.labels(self._label(source), effect).inc(events)

    def observe_latency(self, recorded_ms: Sequence[int], *, now_ms: int) -> None:
        """Note how long ago the last of these records, if any, was written."""
        if recorded_ms:
            self._apply_latency.observe(max(0, now_ms - recorded_ms[-1]) / 1000)

    def count_clamped(self, events: Mapping[str | None, int]) -> None:
        """Count link events with an impossible time by source."""
        for source, number in events.items():
            self._event_time_clamped.labels(self._label(source)).inc(number)

    def _label(self, source: str | None) -> str:
        label = source or UNNAMED
        if label in self._sources:
            return label
        if len(self._sources) >= SOURCES_LABELLED_MAX:
            return OTHER
        self._sources.add(label)
        return label
