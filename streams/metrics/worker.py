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
        "Records of an assigned partition that wait to be applied. Falling: a backlog is being worked off; "
        "growing: more arrive than this worker can process. Above 10,000 in total, no verdict gets worse.",
        ["topic", "partition"],
        (([topic, str(partition)], lag) for (topic, partition), lag in snapshot.lag.items()),
    )
    yield single(
        "flatline_declared_partitions",
        "Number of partitions of the links topic (FLATLINE_PARTITIONS). All workers together should have this many.",
        snapshot.partitions_declared,
    )
    yield gauge(
        "flatline_partitions",
        "Partitions assigned to this worker, and how many of them have their state restored (recovered). A "
        "partition is not processed before that.",
        ["phase"],
        [(["assigned"], snapshot.partitions_assigned), (["recovered"], snapshot.partitions_recovered)],
    )
    yield single(
        "flatline_recovery_duration_seconds",
        "How long the last restore of assigned partitions took.",
        snapshot.recovery_s,
    )
    if snapshot.last_commit_s is not None:
        yield single(
            "flatline_last_commit_timestamp_seconds",
            "Time of the last commit, by the wall clock. A worker commits every few seconds, also when idle.",
            snapshot.last_commit_s,
        )
    if snapshot.judged_until_s is not None:
        yield single(
            "flatline_judged_until_timestamp_seconds",
            "Verdicts include everything that was applied or due by this time, by the worker's clock. If it is "
            "minutes ago, the worker judges more slowly than articles change.",
            snapshot.judged_until_s,
        )
    yield single(
        "flatline_worker_stuck",
        "1 while there are records to process but no progress was made for a minute.",
        snapshot.is_stuck,
    )
    yield single(
        "flatline_event_loop_lag_seconds",
        "How late the event loop runs. At half the session timeout the worker exits.",
        snapshot.event_loop_lag_s,
    )
    rebalances = CounterMetricFamily(
        "flatline_rebalances",
        "Rebalances of the consumer group that this worker took part in. Each one stops all workers for a moment. "
        "Many per hour without a deployment mean that a worker keeps restarting.",
    )
    rebalances.add_metric([], snapshot.rebalances)
    yield rebalances
    yield gauge(
        "flatline_core_info",
        "What reads link records: native, or python, which is slower; always 1.",
        ["core"],
        [([snapshot.core], 1)],
    )
    yield gauge("flatline_build_info", "The version that runs; always 1.", ["version"], [([VERSION], 1)])
