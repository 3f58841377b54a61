"""Snapshots of a worker: a small one, and one in which there is more of everything than any worker should show."""

from datetime import UTC, date, datetime

from msgspec import structs
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from flatline.domain.groups.cohorts import AGES_DAYS, Cohort
from flatline.domain.judgement.watch_list import Watched
from flatline.domain.state.link import Effect
from flatline.domain.visibility.sources import Freshness, ReportingPeriod
from flatline.metrics import Gauges, Snapshot, WorkerMetrics
from flatline.metrics.limits import MONTHS_LABELLED_MAX, STRATEGIES_LABELLED_MAX
from flatline.schema.group import GroupKind, GroupState, GroupVerdict, Tally
from flatline.schema.verdict import (
    Expectation,
    Expected,
    Finding,
    FindingKind,
    Impact,
    State,
    VisitsInDays,
    Worth,
)
from flatline.settings import Settings
from tests.domain.judgement.test_watch_list import watched

NOW = datetime(2026, 6, 1, tzinfo=UTC)
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def group(name: str, state: GroupState, *, kind: GroupKind = GroupKind.SERIES) -> GroupVerdict:
    """Return a verdict on a group in few words."""
    is_new = state is GroupState.NEW
    return GroupVerdict(
        kind=kind,
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


def rich(article: str, *, tier: int | None = None) -> Watched:
    """Return a watched article of which everything is known."""
    each = watched(article, State.SILENT, tier=tier, gained=40)
    expected = Expected(4.0, 1, 0.01, 0.99)
    verdict = structs.replace(
        each.verdict,
        title="A title",
        series="Notes",
        findings=[
            Finding(FindingKind.QUALITY_GONE, NOW, ""),
            Finding(FindingKind.MASS_LOSS, NOW, "", {"page_gone": 8, "removed": 3}),
        ],
        worth=Worth(weighted_total=7.5, worthy_in_90_days=2),
        expectation=Expectation(expected, expected, expected),
        impact=Impact(3, 37, 30, 2, 90, VisitsInDays(12, 40), 5, date(2026, 1, 1), date(2026, 6, 1), []),
    )
    return each._replace(verdict=verdict, is_unseen=True)


def cohort(kind: str, name: str) -> Cohort:
    """Return one of which nothing is known at the last age."""
    return Cohort(kind, name, 12, 340, {age: None if age == AGES_DAYS[-1] else age / 2_000 for age in AGES_DAYS})


SNAPSHOT = Snapshot(
    tally={(State.SILENT, "Notes"): 1, (State.STEADY, "Notes"): 1, (State.STEADY, None): 1},
    windows={7: Tally(3.5, 2), 28: Tally(14.0, 9), 90: Tally(44.0, 30)},
    watched=[rich('https://yours.example/"quoted"\\path', tier=1)],
    watch_list_capacity=150,
    left_out_registered=3,
    left_out_found=40,
    groups=[group("Field Notes", GroupState.UNDER_CURVE), group("Tides", GroupState.NEW)],
    cohorts=[cohort("all", "all"), cohort("month", "2025-03")],
    freshness={"north": Freshness(staleness_ms=5_000, limit_ms=3_000)},
    reporting_periods={"north": ReportingPeriod(period_ms=1_000, lag_ms=86_400_000)},
    lag={("links", 0): 7},
    partitions_declared=8,
    partitions_assigned=4,
    partitions_recovered=3,
    recovery_s=1.5,
    last_commit_s=1_780_000_000.5,
    judged_until_s=1_780_000_000.0,
    event_loop_lag_s=0.01,
    rebalances=2,
)


def crowded() -> Snapshot:
    """Return what a worker with a million articles might have, of everything more than has room."""
    kinds = (GroupKind.SITE, GroupKind.STRATEGY, GroupKind.SERIES, GroupKind.AUTHOR)
    names = [f"source-{number}" for number in range(500)]
    return SNAPSHOT._replace(
        tally={(state, f"series-{n}"): n + 1 for n in range(1_000) for state in State}
        | {(State.STEADY, None): 999_000},
        watched=[rich(f"https://yours.example/{n}", tier=1) for n in range(Settings().watch_list_size)],
        groups=[group(f"group-{n}", GroupState.ON_CURVE, kind=kind) for n in range(500) for kind in kinds],
        cohorts=[cohort("month", str(n)) for n in range(MONTHS_LABELLED_MAX)]
        + [cohort("strategy", str(n)) for n in range(STRATEGIES_LABELLED_MAX)]
        + [cohort("all", "all")],
        freshness={name: Freshness(1, 1) for name in names},
        reporting_periods={name: ReportingPeriod(1, 1) for name in names},
        lag={(topic, number): 0 for topic in ("links", "articles", "visits") for number in range(8)},
    )


def registry_of(snapshot: Snapshot) -> CollectorRegistry:
    """Return what a worker registers, with each counter used."""
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry)
    metrics.count_events({(source, effect): 1 for source in snapshot.freshness for effect in Effect})
    metrics.count_clamped(dict.fromkeys(snapshot.freshness, 1))
    metrics.imports_recognised.inc()
    metrics.dead_letters.labels("links", "not_json").inc()
    metrics.forwarded.labels("links").inc()
    metrics.unreadable.labels("heartbeats").inc()
    registry.register(Gauges(lambda: snapshot))
    return registry


def samples_of(registry: CollectorRegistry) -> Samples:
    """Return what is scraped, read back by a parser."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}
