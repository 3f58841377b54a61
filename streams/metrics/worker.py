from collections.abc import Iterator
from importlib.metadata import version
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily

from flatline.metrics.families import gauge, single
from flatline.metrics.snapshot import Snapshot

VERSION: Final = version("flatline")


def worker_families(snapshot: Snapshot) -> Iterator[Metric]:
    """Yield how the worker itself does."""
    yield gauge(
        "flatline_consumer_lag_records",
        "Records of an assigned partition that wait to be applied. Falling: it catches up; growing: more comes than "
        "this worker can take. Above 10,000 in all, no verdict gets worse.",
        ["topic", "partition"],
        (([topic, str(partition)], lag) for (topic, partition), lag in snapshot.lag.items()),
    )
    yield single(
        "flatline_declared_partitions",
        "Partitions that the topics of links have (FLATLINE_PARTITIONS): all workers together should have as many.",
        snapshot.partitions_declared,
    )
    yield gauge(
        "flatline_partitions",
        "Partitions assigned to this worker, and how many of them have their state back (recovered). Nothing is "
        "applied while these differ.",
        ["phase"],
        [(["assigned"], snapshot.partitions_assigned), (["recovered"], snapshot.partitions_recovered)],
    )
    yield single(
        "flatline_recovery_duration_seconds",
        "How long it took to get back the state of what was assigned last.",
        snapshot.recovery_s,
    )
    if snapshot.last_commit_s is not None:
        yield single(
            "flatline_last_commit_timestamp_seconds",
            "When what was applied was last made durable, by the wall clock. It moves every few seconds, work or not.",
            snapshot.last_commit_s,
        )
    if snapshot.judged_until_s is not None:
        yield single(
            "flatline_judged_until_timestamp_seconds",
            "Verdicts hold everything that was applied or due by then, by the worker's clock. Minutes ago: the worker "
            "judges more slowly than articles change.",
            snapshot.judged_until_s,
        )
    yield single(
        "flatline_worker_stuck", "1 while there is work and none of it has been done for a minute.", snapshot.is_stuck
    )
    yield single(
        "flatline_event_loop_lag_seconds",
        "How late the event loop runs. At half the session timeout the worker ends itself.",
        snapshot.event_loop_lag_s,
    )
    rebalances = CounterMetricFamily(
        "flatline_rebalances",
        "Rebalances of the consumer group that this worker took part in. Each stops all workers for a moment: many an "
        "hour without a deployment mean that a worker comes and goes.",
    )
    rebalances.add_metric([], snapshot.rebalances)
    yield rebalances
    yield gauge("flatline_build_info", "The version that runs; always 1.", ["version"], [([VERSION], 1)])
