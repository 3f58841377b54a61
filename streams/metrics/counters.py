from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from flatline.domain.state.link import Effect
from flatline.metrics.limits import OTHER, SOURCES_LABELLED_MAX

# A second series for each counter, of use to nobody here.
disable_created_metrics()  # type: ignore[no-untyped-call]

UNNAMED = "unnamed"
_COMMIT_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# Usually a fraction of a second (tests/bench/RESULTS.md); hours for records that waited while a worker was down.
_LATENCY_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3_600)


class WorkerMetrics:
    """Counters that code increments, and the histograms."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._sources: set[str] = set()
        self._link_events = Counter(
            "flatline_link_events",
            "Link events applied, by source and effect. gained: a link that nobody had reported before; "
            "seen_again: nothing new, for example because a second source confirms a link; suspected: somebody thinks "
            "that a link is gone, or could not look, which changes nothing; ignored: the policy excludes the "
            "event. If one source stops gaining links while the others continue, that source has a problem.",
            ["source", "effect"],
            registry=registry,
        )
        self.dead_letters = Counter(
            "flatline_dead_letters",
            "Records that could not be read and went to the dead-letter topic, by topic and reason. They are "
            "missing from all counts until the producer is fixed and sends them again.",
            ["topic", "reason"],
            registry=registry,
        )
        self.forwarded = Counter(
            "flatline_records_forwarded",
            "Records forwarded to their article's partition because their producer used another key. Harmless; a "
            "producer that uses the canonical URL as its key saves the extra hop.",
            ["topic"],
            registry=registry,
        )
        self.unreadable = Counter(
            "flatline_unreadable_records",
            "Unreadable records of topics that every worker reads completely (heartbeats, groups, moves, sites, "
            "imports, generations), by topic. They are ignored, and counted again at each start. The log has the "
            "reasons.",
            ["topic"],
            registry=registry,
        )
        self._event_time_clamped = Counter(
            "flatline_event_time_clamped",
            "Link events dated before the web existed or later than their own record, by source: a clock is wrong "
            "there. They are counted at the nearest possible time.",
            ["source"],
            registry=registry,
        )
        self.imports_recognised = Counter(
            "flatline_imports_recognised",
            "Imports without a label that were recognised: many links that a source reports as gained at one instant, "
            "from many pages. Their links count, but are no sign of life. The log names the source. A producer that "
            "labels its imports (discovery: import) is believed instead.",
            registry=registry,
        )
        self.commit_duration = Histogram(
            "flatline_commit_duration_seconds",
            "Time to judge the articles that are due (at most 0.4 s) and to commit everything that was applied "
            "with its offsets. More than a second: Kafka or its disk is slow.",
            buckets=_COMMIT_S,
            registry=registry,
        )
        self._apply_latency = Histogram(
            "flatline_apply_latency_seconds",
            "Time from a batch's newest record until the batch is applied, once per batch. Large while a backlog "
            "is worked off; otherwise the time until a link is counted.",
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
