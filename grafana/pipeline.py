"""Pipeline: whether workers and ingest do their work, and how far behind they are."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, DynamicConfigValue, Panel

from grafana.annotations import alerts
from grafana.board import Row, board
from grafana.colours import BAD, DOUBTFUL, Limit, thresholds
from grafana.links import PIPELINE
from grafana.panels import EMPTY_WHEN_WELL, OF_ALL, figure, lines, names, spread, stacked
from grafana.queries import OURS, at_end, on_range, over_time, quantile, recorded, series

_LAG: Final = series("flatline_consumer_lag_records")
_COMMIT: Final = series("flatline_last_commit_timestamp_seconds")
# As of each scrape, and not of now: how long that is ago is nobody's delay.
_COMMIT_AGE: Final = f"max by (instance) (timestamp({_COMMIT}) - {_COMMIT})"
_QUANTILES: Final = {0.5: "median", 0.9: "90 %", 0.99: "99 %"}
_REQUESTS: Final = "flatline_ingest_requests_total"


def made() -> Dashboard:
    """Return the dashboard."""
    return board(
        PIPELINE,
        "Pipeline",
        "The state of workers and ingest: throughput, lag, commits, dead letters, the push API and resources.",
        [
            Row(1, "At a glance", _glance()),
            Row(2, "Throughput and lag", _flow()),
            Row(3, "Commits and partitions", _commits()),
            Row(4, "Push API", _push()),
            Row(5, "Dead letters and forwarded records", _letters(), is_folded=True),
            Row(6, "Processes", _processes(), is_folded=True),
        ],
        alerts=alerts(
            "Worker.*|Consumer.*|Commits.*|Ingest.*|DeadLetters|Watch.*|Partitions.*|Notifications.*|Rules.*|Config.*",
            'alertname!="Watchdog"',
        ),
        since="now-6h",
        refresh="30s",
    )


def _glance() -> list[Builder[Panel]]:
    assigned, recovered = (
        f"sum({series('flatline_partitions', phase)})" for phase in ('phase="assigned"', 'phase="recovered"')
    )
    up = series("up", OURS)
    return [
        figure(
            11,
            "Processes",
            "Processes that Prometheus reaches and processes that it does not (red from 1), by job. "
            "If one is down for minutes, see WorkerDown or IngestDown in the runbook.",
            at_end(f"sum by (job) ({up})", "{{job}} up"),
            at_end(f"sum by (job) (1 - {up})", "{{job}} down"),
            width=6,
        ).override_by_regexp(".* down", [DynamicConfigValue("thresholds", thresholds(Limit(1, BAD)).build())]),
        figure(
            12,
            "Consumer lag",
            "Records waiting to be processed, in all partitions. Orange from 10,000 (no verdict gets "
            "worse above that), red from 100,000. If it falls, a backlog is being worked off; if it "
            "grows, start another worker.",
            at_end(f"sum({_LAG})", "records"),
            limits=[Limit(10_000, DOUBTFUL), Limit(100_000, BAD)],
        ),
        figure(
            13,
            "Oldest last commit",
            "Age of the last commit of the worker that is furthest behind. Workers commit about every "
            "second, also when idle. Orange from 30 seconds, red from two minutes.",
            at_end(f"max({_COMMIT_AGE})", "ago"),
            unit="s",
            limits=[Limit(30, DOUBTFUL), Limit(120, BAD)],
        ),
        figure(
            14,
            "Stuck workers",
            "Workers that have records to process but have made no progress for a minute. Red from 1.",
            at_end(f"sum({series('flatline_worker_stuck')})", "workers"),
            limits=[Limit(1, BAD)],
            width=3,
        ),
        figure(
            15,
            "Partitions being restored",
            "Assigned partitions whose state is not restored yet; they are not processed meanwhile. A "
            "few seconds after a rebalance are normal, minutes are not.",
            at_end(
                f"{assigned} - {recovered}",
                "partitions",
            ),
            limits=[Limit(1, DOUBTFUL)],
            width=3,
        ),
        names(
            16,
            "Versions",
            "Versions that are running. If there is more than one outside a deployment, a process was not updated.",
            at_end(f"count by (job, version) ({series('flatline_build_info')})", "{{job}} {{version}}"),
            width=4,
        ),
    ]


def _flow() -> list[Builder[Panel]]:
    by_partition = "by (topic, partition)"
    # Ten for the whole range: topk alone takes ten anew for each point, and draws all that ever were among them.
    furthest = f"topk(10, max {by_partition} (max_over_time({_LAG}[$__range] @ end())))"
    return [
        stacked(
            lines(
                21,
                "Link events applied",
                "Link events per second, by worker. If they differ, the partitions differ in size or "
                "one worker is slower.",
                on_range(f"sum by (instance) ({over_time('flatline_link_events_total')})", "{{instance}}"),
                unit="cps",
                is_many=True,
            )
        ),
        stacked(
            lines(
                22,
                "Consumer lag by topic",
                "Records waiting to be processed, by topic. A peak that drains is a backlog. If the "
                "lag keeps growing, start another worker, or check whether one is stuck.",
                on_range(f"sum by (topic) ({_LAG})", "{{topic}}"),
                is_many=True,
            )
        ),
        lines(
            23,
            "Time until applied",
            "Time from a batch's newest record until the batch is applied. More than a few seconds "
            "without a backlog: Kafka or the worker is slow.",
            *(on_range(quantile(q, "flatline_apply_latency_seconds"), name) for q, name in _QUANTILES.items()),
            unit="s",
        ),
        lines(
            24,
            "Partitions with the largest lag",
            "The ten partitions with the longest queues. One far above the rest means a very active "
            "article or a slow worker.",
            on_range(f"sum {by_partition} ({_LAG}) and {furthest}", "{{topic}} {{partition}}"),
            is_many=True,
        ),
    ]


def _commits() -> list[Builder[Panel]]:
    rebalances = over_time("flatline_rebalances_total", function="increase")
    return [
        lines(
            31,
            "Age of the last commit",
            "Age of each worker's last commit. About a second is normal. A worker that can't commit "
            "exits, and its line ends. Dashed: 30 seconds and two minutes.",
            on_range(_COMMIT_AGE, "{{instance}}"),
            unit="s",
            limits=[Limit(30, DOUBTFUL), Limit(120, BAD)],
            is_many=True,
        ),
        spread(
            32,
            "Duration of commits",
            "Time that a commit takes. More than a second: Kafka or its disk is slow.",
            "flatline_commit_duration_seconds",
        ),
        lines(
            33,
            "Rebalances",
            "Rebalances that each worker took part in. Each one stops all workers for a moment. Many "
            "per hour without a deployment mean that a worker keeps restarting.",
            on_range(f"sum by (instance) ({rebalances})", "{{instance}}"),
            width=8,
            is_many=True,
        ),
        lines(
            34,
            "Partitions",
            "Partitions assigned, and those of them whose state is restored. Partitions are not processed until then.",
            on_range(f"sum by (phase) ({series('flatline_partitions')})", "{{phase}}"),
            width=8,
        ),
        lines(
            35,
            "Restore time",
            "How long the last restore of assigned partitions took. It grows with the number of links.",
            on_range(f"max by (instance) ({series('flatline_recovery_duration_seconds')})", "{{instance}}"),
            unit="s",
            width=8,
            is_many=True,
        ),
    ]


def _push() -> list[Builder[Panel]]:
    failed = over_time(_REQUESTS, 'code=~"5.."')
    asked = over_time(_REQUESTS)
    return [
        stacked(
            lines(
                41,
                "Requests by status",
                "Requests per second. 5xx: Kafka could not be reached and senders were told to retry. "
                "429: a sender is too fast. 401: a token is wrong.",
                on_range(f"sum by (code) ({asked})", "{{code}}"),
                unit="reqps",
                width=8,
            )
        ),
        lines(
            42,
            "Server errors",
            "Share of requests answered with 5xx. Dashed: 5 %. Senders retry, so nothing is lost, but "
            f"events arrive later. {EMPTY_WHEN_WELL}",
            on_range(f"sum({failed}) / (sum({asked}) > 0)", "5xx"),
            unit="percentunit",
            limits=[Limit(0.05, BAD)],
            width=8,
        ),
        lines(
            43,
            "Response time",
            "Time from the head of a request to its response, which waits until Kafka has every "
            "event. Several seconds: Kafka is slow, or the batches are very large.",
            *(
                on_range(quantile(q, "flatline_ingest_request_duration_seconds"), name)
                for q, name in _QUANTILES.items()
            ),
            unit="s",
            width=8,
        ),
    ]


def _letters() -> list[Builder[Panel]]:
    dead = recorded("topic_reason:flatline_dead_letters:increase15m")
    return [
        lines(
            51,
            "Dead letters by reason",
            "Records that could not be read, in 15 minutes. They are missing from all counts until "
            f"the producer is fixed and sends them again. {OF_ALL} {EMPTY_WHEN_WELL}",
            on_range(dead, "{{topic}}: {{reason}}"),
            is_many=True,
        ),
        lines(
            52,
            "Forwarded records",
            "Records per second that were forwarded to their article's partition because the producer "
            f"used another key. This does no harm, but costs an extra hop. {EMPTY_WHEN_WELL}",
            on_range(f"sum by (topic) ({over_time('flatline_records_forwarded_total')})", "{{topic}}"),
            unit="cps",
            is_many=True,
        ),
    ]


def _processes() -> list[Builder[Panel]]:
    by_process = "{{job}} {{instance}}"
    return [
        lines(
            61,
            "Memory",
            "Resident memory. A worker's memory grows with the links and articles of its partitions, "
            "and then stays level.",
            on_range(f"max by (job, instance) ({series('process_resident_memory_bytes', OURS)})", by_process),
            unit="bytes",
            width=8,
            is_many=True,
        ),
        lines(
            62,
            "CPU",
            "CPU cores in use. A worker uses at most one core. If it stays at 1 (dashed), start another worker.",
            on_range(f"sum by (job, instance) ({over_time('process_cpu_seconds_total', OURS)})", by_process),
            unit="short",
            limits=[Limit(1, BAD)],
            width=8,
            is_many=True,
        ),
        lines(
            63,
            "Event loop delay",
            "How late a worker's event loop runs. At half the session timeout (10 seconds by default, "
            "dashed) the worker exits.",
            on_range(f"max by (instance) ({series('flatline_event_loop_lag_seconds')})", "{{instance}}"),
            unit="s",
            limits=[Limit(10, BAD)],
            width=8,
            is_many=True,
        ),
    ]
