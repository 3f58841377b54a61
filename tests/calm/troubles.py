"""What a worker and an ingest say when all is wrong that they can say, and when all has been well for long."""

import time
from collections.abc import Iterable
from typing import Final

from msgspec import structs
from prometheus_client import CollectorRegistry, generate_latest

from flatline.domain.visibility.sources import Freshness
from flatline.metrics import Gauges, Snapshot, WorkerMetrics
from flatline.schema.group import GroupState
from flatline.schema.verdict import State
from flatline_connectors.ingest.metrics import IngestMetrics
from tests.domain.judgement.test_watch_list import watched
from tests.metrics.snapshots import SNAPSHOT, group, rich

# Whatever was long ago.
_STARTED_S: Final = 1_780_000_000
# More often than any rule asks for.
_PER_S: Final = 10
# Half an hour is still a good part of it.
_LAGGING_SINCE_S: Final = int(time.time()) - 3 * 60 * 60
_OLD_TROUBLES: Final = 5_000

_WELL: Final = SNAPSHOT._replace(
    watched=[watched("https://yours.example/steady", State.STEADY, tier=1)],
    left_out_registered=0,
    groups=[group("Field Notes", GroupState.ON_CURVE)],
    freshness={"north": Freshness(staleness_ms=1_000, limit_ms=3_000)},
    partitions_assigned=SNAPSHOT.partitions_declared,
    partitions_recovered=SNAPSHOT.partitions_declared,
)
_TROUBLED: Final = _WELL._replace(
    watched=[
        rich("https://yours.example/silent", tier=1)._replace(is_unseen=False),
        rich("https://yours.example/unseen", tier=1),
        rich("https://yours.example/lost", tier=1)._replace(is_unseen=False),
        watched("https://yours.example/cooling", State.COOLING, tier=1),
        watched("https://yours.example/revived", State.REVIVED, tier=2),
    ],
    left_out_registered=3,
    groups=[
        group("Field Notes", GroupState.UNDER_CURVE),
        structs.replace(group("Tides", GroupState.ON_CURVE), suppressed=True),
    ],
    freshness=SNAPSHOT.freshness,
    is_stuck=True,
)


def troubled_worker(at_s: float) -> str:
    """Return the metrics of a worker that has something to say for each alert on workers, articles and sources."""
    lag = 10 * int(at_s - _LAGGING_SINCE_S)
    snapshot = _TROUBLED._replace(lag={("links", 0): lag}, last_commit_s=_STARTED_S)
    return _worker(snapshot, troubles=int(_PER_S * (at_s - _STARTED_S)))


def troubled_ingest(at_s: float) -> str:
    """Return the metrics of an ingest that fails and rejects all the time."""
    return _ingest(troubles=int(_PER_S * (at_s - _STARTED_S)))


def well_worker(at_s: float) -> str:
    """Return the metrics of a worker that has had troubles, but none for long."""
    return _worker(_WELL._replace(last_commit_s=at_s), troubles=_OLD_TROUBLES)


def well_ingest(at_s: float) -> str:  # noqa: ARG001 - nothing happens
    """Return the metrics of an ingest that has failed and rejected, but not for long."""
    return _ingest(troubles=_OLD_TROUBLES)


def _worker(snapshot: Snapshot, *, troubles: int) -> str:
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry)
    metrics.count_clamped({"north": troubles})
    metrics.dead_letters.labels("links", "not_json").inc(troubles)
    registry.register(Gauges(lambda: snapshot))
    return _of_old_process(generate_latest(registry).decode().splitlines(keepends=True))


def _ingest(*, troubles: int) -> str:
    metrics = IngestMetrics(CollectorRegistry())
    metrics.requests.labels(code="503").inc(troubles)
    metrics.events.labels(source="north", outcome="accepted").inc(troubles)
    metrics.events.labels(source="north", outcome="rejected").inc(troubles)
    metrics.rejected.labels(source="north", reason="not_json").inc(troubles)
    return _of_old_process(metrics.exposition().decode().splitlines(keepends=True))


def _of_old_process(lines: Iterable[str]) -> str:
    return "".join(line for line in lines if "process_" not in line) + f"process_start_time_seconds {_STARTED_S}\n"
