"""Every metric of the worker, born here from an injected registry. Labels are bounded; see WatchList for articles."""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from importlib.metadata import version
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from streams.domain.link import Effect
from streams.domain.sight.sources import Freshness
from streams.domain.urls import referring_domain, slug
from streams.domain.watch_list import Watched
from streams.schema.group import GroupState, GroupVerdict
from streams.schema.verdict import FindingKind, State

SOURCES_LABELLED_MAX: Final = 200
SERIES_LABELLED_MAX: Final = 200
GROUPS_LABELLED_MAX: Final = 200
OTHER: Final = "other"
VERSION: Final = version("flatline")


class Snapshot(NamedTuple):
    """What the worker's gauges show at one instant; durations in seconds, instants in s of the wall clock."""

    tally: Mapping[tuple[State, str | None], int]  # articles by state and series
    watched: list[Watched]
    watch_list_left_out: int
    groups: Sequence[GroupVerdict]
    freshness: dict[str, Freshness]
    lag: dict[tuple[str, int], int]
    partitions_assigned: int
    partitions_recovered: int
    recovery_s: float
    last_commit_s: float | None
    is_stuck: bool
    event_loop_lag_s: float
    rebalances: int


class WorkerMetrics:
    """Counters that code increments, and the histogram of commits."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._sources: set[str] = set()
        self._link_events = Counter(
            "flatline_link_events",
            "Link events applied, by what they changed. gained: links nobody had reported before.",
            ["source", "effect"],
            registry=registry,
        )
        self.dead_letters = Counter(
            "flatline_dead_letters",
            "Records that could not be read and went to the dead-letter topic, by topic and reason.",
            ["topic", "reason"],
            registry=registry,
        )
        self.forwarded = Counter(
            "flatline_records_forwarded",
            "Records sent on to the partition where their article lives: their producer keyed them otherwise.",
            ["topic"],
            registry=registry,
        )
        self.event_time_clamped = Counter(
            "flatline_event_time_clamped",
            "Events dated before the web or after the record was written: a clock is wrong somewhere.",
            registry=registry,
        )
        self.commit_duration = Histogram(
            "flatline_commit_duration_seconds",
            "Time to make what was applied durable, before its offsets are committed.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )

    def count_events(self, effects: Mapping[tuple[str | None, Effect], int]) -> None:
        """Count link events by source and effect. Sources beyond SOURCES_LABELLED_MAX are counted as OTHER."""
        for (source, effect), events in effects.items():
            self._link_events.labels(self._label(source), effect).inc(events)

    def _label(self, source: str | None) -> str:
        label = source or "unnamed"
        if label in self._sources:
            return label
        if len(self._sources) >= SOURCES_LABELLED_MAX:
            return OTHER
        self._sources.add(label)
        return label


class Gauges(Collector):
    """Gauges computed when they are scraped, so that nothing that is gone is shown."""

    def __init__(self, take_snapshot: Callable[[], Snapshot]) -> None:
        self._take_snapshot = take_snapshot

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return nothing, so that registering takes no snapshot."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield all gauges from one snapshot."""
        snapshot = self._take_snapshot()
        yield from _article_gauges(snapshot)
        yield from _watch_list_gauges(snapshot)
        yield from _group_gauges(snapshot)
        yield from _source_gauges(snapshot)
        yield from _worker_gauges(snapshot)


def _gauge(
    name: str, text: str, labels: Sequence[str], rows: Iterable[tuple[Sequence[str], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def _article_gauges(snapshot: Snapshot) -> Iterator[GaugeMetricFamily]:
    by_state = Tally(dict.fromkeys(State, 0))
    by_series: Tally[tuple[str, State]] = Tally()
    for (state, series), number in snapshot.tally.items():
        by_state[state] += number
        if series is not None and number:
            by_series[series, state] += number
    yield _gauge(
        "flatline_articles",
        "Articles of this worker's partitions by state.",
        ["state"],
        (([state], number) for state, number in by_state.items()),
    )
    sizes: Tally[str] = Tally()
    for (series, _), number in by_series.items():
        sizes[series] += number
    labelled = {series for series, _ in sizes.most_common(SERIES_LABELLED_MAX)}
    bounded: Tally[tuple[str, State]] = Tally()
    for (series, state), number in by_series.items():
        bounded[series if series in labelled else OTHER, state] += number
    yield _gauge(
        "flatline_series_articles",
        f"Registered articles by series and state; series beyond {SERIES_LABELLED_MAX} are counted as {OTHER}.",
        ["series", "state"],
        (([series, state], number) for (series, state), number in bounded.items()),
    )


def _watch_list_gauges(snapshot: Snapshot) -> Iterator[GaugeMetricFamily]:
    watched = [(slug(each.verdict.article), each) for each in snapshot.watched]
    yield _gauge(
        "flatline_watched_article_info",
        "What is registered about a watched article; always 1.",
        ["article", "title", "series", "author", "strategy", "site", "tier"],
        (
            ([name, v.title or "", v.series or "", v.author or "", v.strategy or "", site, str(v.tier or "")], 1)
            for name, v, site in ((name, e.verdict, referring_domain(e.verdict.article)) for name, e in watched)
        ),
    )
    yield _gauge(
        "flatline_watched_article_state",
        "1 for the state that a watched article is in, 0 for the others.",
        ["article", "state"],
        (([name, state], state == each.verdict.state) for name, each in watched for state in State),
    )
    yield _gauge(
        "flatline_watched_article_finding",
        "1 for what there is to say of a watched article beside its state, 0 for what there is not.",
        ["article", "finding"],
        (
            ([name, kind], kind in {finding.kind for finding in each.verdict.findings})
            for name, each in watched
            for kind in FindingKind
        ),
    )
    yield _gauge(
        "flatline_watched_article_silence_probability_ratio",
        "Probability that no link comes within the horizon; absent for articles with too little history.",
        ["article"],
        (([name], each.verdict.score) for name, each in watched if each.verdict.score is not None),
    )
    yield _gauge(
        "flatline_watched_article_days_since_last_link",
        "Days since a watched article last gained a link.",
        ["article"],
        (([name], each.days_since_last_link) for name, each in watched if each.days_since_last_link is not None),
    )
    yield _gauge(
        "flatline_watched_article_mean_gap_days",
        "Mean length of the last gaps between days on which a watched article gained links.",
        ["article"],
        (([name], each.mean_gap_days) for name, each in watched),
    )
    yield _gauge(
        "flatline_watched_article_link_days",
        "Days on which a watched article ever gained links.",
        ["article"],
        (([name], each.link_days) for name, each in watched),
    )
    yield _gauge(
        "flatline_watched_article_suppressed",
        "1 while nothing worse is said of a watched article, because it could not be seen.",
        ["article"],
        (([name], each.verdict.suppressed) for name, each in watched),
    )
    yield _gauge(
        "flatline_watch_list_left_out",
        "Registered or troubled articles for which the watch list has no room: they have no series and no alert.",
        [],
        [([], snapshot.watch_list_left_out)],
    )


def _group_gauges(snapshot: Snapshot) -> Iterator[GaugeMetricFamily]:
    def rank(group: GroupVerdict) -> tuple[bool, float, str]:
        return group.state is not GroupState.UNDER_CURVE, -group.last_90.expected, group.name

    chosen = nsmallest(GROUPS_LABELLED_MAX, snapshot.groups, key=rank)
    labelled = [([group.kind, group.name], group) for group in chosen]
    yield _gauge(
        "flatline_group_state",
        "1 for the state that a group of articles is in, 0 for the others.",
        ["kind", "group", "state"],
        (([*labels, state], state == group.state) for labels, group in labelled for state in GroupState),
    )
    windows = [
        (labels, days, tally)
        for labels, group in labelled
        for days, tally in (
            ("7", group.last_7),
            ("28", group.last_28),
            ("90", group.last_90),
            ("stretch", group.stretch),
        )
        if tally is not None
    ]
    yield _gauge(
        "flatline_group_expected_links",
        "Links that a group's articles should have gained in the last so many days; stretch: the least probable ones.",
        ["kind", "group", "days"],
        (([*labels, days], tally.expected) for labels, days, tally in windows),
    )
    yield _gauge(
        "flatline_group_gained_links",
        "Links that a group's articles gained in the last so many days.",
        ["kind", "group", "days"],
        (([*labels, days], tally.gained) for labels, days, tally in windows),
    )
    yield _gauge(
        "flatline_group_shortfall_probability_ratio",
        "Probability of links as few as came if nothing had changed, over the stretch of days where it is smallest.",
        ["kind", "group"],
        ((labels, group.chance) for labels, group in labelled if group.chance is not None),
    )
    yield _gauge(
        "flatline_group_stretch_days",
        "How many days the stretch has in which so few links are least probable.",
        ["kind", "group"],
        ((labels, group.stretch_days) for labels, group in labelled if group.stretch_days is not None),
    )
    yield _gauge(
        "flatline_groups_left_out",
        "Groups of this worker's partitions that have no series here: there are too many.",
        [],
        [([], len(snapshot.groups) - len(chosen))],
    )


def _source_gauges(snapshot: Snapshot) -> Iterator[GaugeMetricFamily]:
    sources = snapshot.freshness.items()
    yield _gauge(
        "flatline_source_staleness_seconds",
        "How long ago a source had seen everything, by the worker's clock.",
        ["source"],
        (([source], freshness.staleness_ms / 1000) for source, freshness in sources),
    )
    yield _gauge(
        "flatline_source_staleness_limit_seconds",
        "How far a source may fall behind before it is stale: several of its own periods.",
        ["source"],
        (([source], freshness.limit_ms / 1000) for source, freshness in sources),
    )
    yield _gauge(
        "flatline_source_stale",
        "1 while a source is stale: verdicts on its articles do not get worse.",
        ["source"],
        (([source], freshness.is_stale) for source, freshness in sources),
    )


def _worker_gauges(snapshot: Snapshot) -> Iterator[GaugeMetricFamily]:
    yield _gauge(
        "flatline_consumer_lag_records",
        "Records of an assigned partition that wait to be applied.",
        ["topic", "partition"],
        (([topic, str(partition)], lag) for (topic, partition), lag in snapshot.lag.items()),
    )
    yield _gauge(
        "flatline_partitions",
        "Partitions of the changelog assigned to this worker, and how many of them have their state back.",
        ["phase"],
        [(["assigned"], snapshot.partitions_assigned), (["recovered"], snapshot.partitions_recovered)],
    )
    yield _gauge(
        "flatline_recovery_duration_seconds",
        "How long it took to get back the state of what was assigned last.",
        [],
        [([], snapshot.recovery_s)],
    )
    if snapshot.last_commit_s is not None:
        yield _gauge(
            "flatline_last_commit_timestamp_seconds",
            "When what was applied was last made durable.",
            [],
            [([], snapshot.last_commit_s)],
        )
    yield _gauge(
        "flatline_worker_stuck", "1 while there is work and none of it gets done.", [], [([], snapshot.is_stuck)]
    )
    yield _gauge(
        "flatline_event_loop_lag_seconds",
        "How late the event loop runs. At half the session timeout the worker ends itself.",
        [],
        [([], snapshot.event_loop_lag_s)],
    )
    yield _gauge(
        "flatline_rebalances",
        "Rebalances of the consumer group that this worker took part in since its start.",
        [],
        [([], snapshot.rebalances)],
    )
    yield _gauge("flatline_build_info", "The version that runs; always 1.", ["version"], [([VERSION], 1)])
