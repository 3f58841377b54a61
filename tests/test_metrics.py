"""The worker's metrics: bounded, rightly named, and true to the snapshot."""

import re
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streams.domain.link import Effect
from streams.domain.sight.sources import Freshness
from streams.metrics import (
    GROUPS_LABELLED_MAX,
    OTHER,
    SERIES_LABELLED_MAX,
    SOURCES_LABELLED_MAX,
    Gauges,
    Snapshot,
    WorkerMetrics,
)
from streams.schema.group import GroupKind, GroupState, GroupVerdict, Tally
from streams.schema.verdict import State
from tests.domain.test_watch_list import watched

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def group(name: str, state: GroupState) -> GroupVerdict:
    """Return a verdict on a series in few words."""
    is_new = state is GroupState.NEW
    return GroupVerdict(
        kind=GroupKind.SERIES,
        name=name,
        state=state,
        since=NOW,
        judged_at=NOW,
        reason="",
        chance=None if is_new else 0.002,
        stretch_days=None if is_new else 84,
        stretch=None if is_new else Tally(41.5, 14),
        suppressed=False,
        articles=4,
        states={State.STEADY: 4},
        last_7=Tally(3.0, 1),
        last_28=Tally(14.0, 5),
        last_90=Tally(44.0, 15),
    )


SNAPSHOT = Snapshot(
    tally={(State.SILENT, "Notes"): 1, (State.STEADY, "Notes"): 1, (State.STEADY, None): 1},
    watched=[watched('https://yours.example/"quoted"\\path', State.SILENT, tier=1)],
    watch_list_left_out=3,
    groups=[group("Field Notes", GroupState.UNDER_CURVE), group("Tides", GroupState.NEW)],
    freshness={"north": Freshness(staleness_ms=5_000, limit_ms=3_000)},
    lag={("links", 0): 7},
    partitions_assigned=4,
    partitions_recovered=3,
    recovery_s=1.5,
    last_commit_s=1_780_000_000.5,
    is_stuck=False,
    event_loop_lag_s=0.01,
    rebalances=2,
)


def _samples(registry: CollectorRegistry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def _registry(snapshot: Snapshot) -> CollectorRegistry:
    registry = CollectorRegistry()
    WorkerMetrics(registry)
    registry.register(Gauges(lambda: snapshot))
    return registry


def test_gauges_show_the_snapshot() -> None:
    """What is scraped, read back by a parser, is what the snapshot says; foreign text survives as a label."""
    samples = _samples(_registry(SNAPSHOT))
    article = ("article", 'yours.example/"quoted"\\path')
    assert samples["flatline_articles", (("state", "steady"),)] == 2
    assert samples["flatline_articles", (("state", "new"),)] == 0
    assert samples["flatline_series_articles", (("series", "Notes"), ("state", "silent"))] == 1
    assert samples["flatline_watched_article_state", (article, ("state", "silent"))] == 1
    assert samples["flatline_watched_article_state", (article, ("state", "steady"))] == 0
    assert samples["flatline_watched_article_finding", (article, ("finding", "mass_loss"))] == 0
    assert samples["flatline_watched_article_days_since_last_link", (article,)] == 9
    assert samples["flatline_watch_list_left_out", ()] == 3
    assert samples["flatline_source_stale", (("source", "north"),)] == 1
    assert samples["flatline_source_staleness_seconds", (("source", "north"),)] == 5
    assert samples["flatline_consumer_lag_records", (("partition", "0"), ("topic", "links"))] == 7
    assert samples["flatline_partitions", (("phase", "recovered"),)] == 3


def test_groups_show_what_was_expected_and_what_came() -> None:
    """Each window, and the stretch that the alert is about; one of which nothing can be said has no probability."""
    samples = _samples(_registry(SNAPSHOT))
    labels = (("group", "Field Notes"), ("kind", "series"))
    stretch, quarter = (("days", "stretch"), *labels), (("days", "90"), *labels)
    assert samples["flatline_group_state", (*labels, ("state", "under_curve"))] == 1
    assert samples["flatline_group_state", (*labels, ("state", "on_curve"))] == 0
    assert samples["flatline_group_expected_links", stretch] == 41.5
    assert samples["flatline_group_gained_links", quarter] == 15
    assert samples["flatline_group_shortfall_probability_ratio", labels] == 0.002
    assert samples["flatline_group_stretch_days", labels] == 84
    assert ("flatline_group_stretch_days", (("group", "Tides"), ("kind", "series"))) not in samples


def test_groups_are_bounded_and_trouble_comes_first() -> None:
    """However many groups there are, those under their curve are shown."""
    groups = [group(f"series {number}", GroupState.ON_CURVE) for number in range(GROUPS_LABELLED_MAX * 2)]
    samples = _samples(_registry(SNAPSHOT._replace(groups=[*groups, group("Z", GroupState.UNDER_CURVE)])))
    shown = {dict(labels)["group"] for name, labels in samples if name == "flatline_group_state"}
    assert len(shown) == GROUPS_LABELLED_MAX
    assert "Z" in shown
    assert samples["flatline_groups_left_out", ()] == GROUPS_LABELLED_MAX + 1


def test_names_follow_prometheus() -> None:
    """Names are ours, in snake case, with base units; every metric has a help text."""
    text = generate_latest(_registry(SNAPSHOT)).decode()
    names = re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)
    assert all(re.fullmatch(r"flatline_[a-z_]+", name) for name in names)
    assert not [name for name in names if re.search(r"_(ms|milliseconds|minutes|hours|percent)$", name)]
    assert all(re.search(rf"^# HELP {name} \S", text, re.MULTILINE) for name in names)


def test_sources_and_series_are_bounded() -> None:
    """However many sources and series there are, the labels are bounded, and nothing is left uncounted."""
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry)
    for number in range(SOURCES_LABELLED_MAX * 2):
        metrics.count_events({(f"source-{number}", Effect.GAINED): 1})
    series = {(State.STEADY, f"series-{number}"): 1 for number in range(SERIES_LABELLED_MAX * 2)}
    registry.register(Gauges(lambda: SNAPSHOT._replace(tally=series)))
    samples = _samples(registry)
    events = {labels: value for (name, labels), value in samples.items() if name == "flatline_link_events_total"}
    assert len(events) == SOURCES_LABELLED_MAX + 1
    assert sum(events.values()) == SOURCES_LABELLED_MAX * 2
    by_series = {labels: value for (name, labels), value in samples.items() if name == "flatline_series_articles"}
    assert len(by_series) == SERIES_LABELLED_MAX + 1
    assert by_series[("series", OTHER), ("state", "steady")] == SERIES_LABELLED_MAX
