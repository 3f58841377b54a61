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
        "Whether workers and ingest do their work: throughput, lag, commits, dead letters, the push API, resources.",
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
            "Up",
            "Processes that Prometheus reaches, and those it doesn't (red from 1 on), by job. Down for minutes: see "
            "WorkerDown or IngestDown in the runbook.",
            at_end(f"sum by (job) ({up})", "{{job}} up"),
            at_end(f"sum by (job) (1 - {up})", "{{job}} down"),
            width=6,
        ).override_by_regexp(".* down", [DynamicConfigValue("thresholds", thresholds(Limit(1, BAD)).build())]),
        figure(
            12,
            "Consumer lag",
            "Records that wait to be applied, on all partitions. Orange from 10,000 on, where no verdict gets worse "
            "any more, red from 100,000. Falling it is a backlog being worked off; growing, start another worker.",
            at_end(f"sum({_LAG})", "records"),
            limits=[Limit(10_000, DOUBTFUL), Limit(100_000, BAD)],
        ),
        figure(
            13,
            "Oldest last commit",
            "Since when the worker that is furthest behind has made nothing durable. Commits come every second or "
            "so, work or not: orange from 30 s, red from two minutes on.",
            at_end(f"max({_COMMIT_AGE})", "ago"),
            unit="s",
            limits=[Limit(30, DOUBTFUL), Limit(120, BAD)],
        ),
        figure(
            14,
            "Stuck",
            "Workers that have work and have done none of it for a minute. Red from 1 on.",
            at_end(f"sum({series('flatline_worker_stuck')})", "workers"),
            limits=[Limit(1, BAD)],
            width=3,
        ),
        figure(
            15,
            "Partitions to recover",
            "Partitions assigned whose state is not back yet; nothing is applied meanwhile. Seconds after a "
            "rebalance are usual, minutes are not.",
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
            "What runs. More than one outside a deployment: somebody was forgotten.",
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
                "Link events a second, by worker. Uneven: partitions are, or one worker is slower.",
                on_range(f"sum by (instance) ({over_time('flatline_link_events_total')})", "{{instance}}"),
                unit="cps",
                is_many=True,
            )
        ),
        stacked(
            lines(
                22,
                "Consumer lag by topic",
                "Records that wait to be applied. A peak that drains is a backlog; a slope that doesn't end needs "
                "another worker, or its partition's worker is stuck.",
                on_range(f"sum by (topic) ({_LAG})", "{{topic}}"),
                is_many=True,
            )
        ),
        lines(
            23,
            "Latency of applying",
            "From the time of a batch's newest record to its application. Beyond a few seconds without a backlog, "
            "Kafka or the worker is slow.",
            *(on_range(quantile(q, "flatline_apply_latency_seconds"), name) for q, name in _QUANTILES.items()),
            unit="s",
        ),
        lines(
            24,
            "Furthest behind",
            "The ten partitions that had the longest queue. One far above the rest: a hot article, or a worker that "
            "lags.",
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
            "Since when a worker has made nothing durable. It stays at a second or so; a worker that can't commit "
            "ends itself, and its line with it. Dashed: 30 s and two minutes.",
            on_range(_COMMIT_AGE, "{{instance}}"),
            unit="s",
            limits=[Limit(30, DOUBTFUL), Limit(120, BAD)],
            is_many=True,
        ),
        spread(
            32,
            "Duration of commits",
            "Time to make what was applied durable. Beyond a second, Kafka or its disk is slow.",
            "flatline_commit_duration_seconds",
        ),
        lines(
            33,
            "Rebalances",
            "Rebalances that each worker took part in. Each stops all workers for a moment; many an hour without a "
            "deployment: a worker comes and goes.",
            on_range(f"sum by (instance) ({rebalances})", "{{instance}}"),
            width=8,
            is_many=True,
        ),
        lines(
            34,
            "Partitions",
            "Partitions assigned, and those of them whose state is back. Nothing is applied while they differ.",
            on_range(f"sum by (phase) ({series('flatline_partitions')})", "{{phase}}"),
            width=8,
        ),
        lines(
            35,
            "Recovery",
            "How long it took to get back the state of what was assigned last. It grows with the number of links.",
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
                "Requests a second. 5xx: Kafka could not be reached, and senders were told to try again; 429: "
                "somebody sends too fast; 401: a token is wrong.",
                on_range(f"sum by (code) ({asked})", "{{code}}"),
                unit="reqps",
                width=8,
            )
        ),
        lines(
            42,
            "Errors",
            "Share of requests answered with 5xx. Dashed: 5 %. Senders try again, so nothing is lost, but it comes "
            f"later. {EMPTY_WHEN_WELL}",
            on_range(f"sum({failed}) / (sum({asked}) > 0)", "5xx"),
            unit="percentunit",
            limits=[Limit(0.05, BAD)],
            width=8,
        ),
        lines(
            43,
            "Latency",
            "From a request's head to its answer, which waits for Kafka to have every event. Seconds: Kafka is slow, "
            "or the batches are very large.",
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
            "Records that could not be read, in 15 minutes. Each is missing from every figure until its producer is "
            f"mended and sends it again. {OF_ALL} {EMPTY_WHEN_WELL}",
            on_range(dead, "{{topic}}: {{reason}}"),
            is_many=True,
        ),
        lines(
            52,
            "Forwarded records",
            "Records a second that were sent on to the partition of their article, because their producer keyed them "
            f"otherwise. Harmless, but a second trip. {EMPTY_WHEN_WELL}",
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
            "Resident memory. A worker's grows with the links and articles of its partitions, and then stays.",
            on_range(f"max by (job, instance) ({series('process_resident_memory_bytes', OURS)})", by_process),
            unit="bytes",
            width=8,
            is_many=True,
        ),
        lines(
            62,
            "Processor",
            "Cores in use. A worker is one process on one core: at 1 (dashed) it can do no more, start another.",
            on_range(f"sum by (job, instance) ({over_time('process_cpu_seconds_total', OURS)})", by_process),
            unit="short",
            limits=[Limit(1, BAD)],
            width=8,
            is_many=True,
        ),
        lines(
            63,
            "Event loop lag",
            "How late a worker's event loop runs. At half the session timeout (10 s by default, dashed) the worker "
            "ends itself.",
            on_range(f"max by (instance) ({series('flatline_event_loop_lag_seconds')})", "{{instance}}"),
            unit="s",
            limits=[Limit(10, BAD)],
            width=8,
            is_many=True,
        ),
    ]
