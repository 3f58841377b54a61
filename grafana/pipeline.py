"""Pipeline: whether workers, ingest, page and API do their work, and how far behind they are."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from grafana.annotations import alerts
from grafana.attention import DATE
from grafana.board import Row, board
from grafana.colours import BAD, DOUBTFUL, GOOD, OF_STATUS, PLAIN, Limit, words
from grafana.glance import workers_up
from grafana.links import PIPELINE
from grafana.panels import EMPTY_WHEN_WELL, OF_ALL, coloured, dashed, figure, lines, spread, stacked
from grafana.queries import (
    OURS,
    WORKERS,
    at_end,
    in_24_hours,
    on_range,
    or_zero,
    over_time,
    quantile,
    recorded,
    series,
)
from grafana.tables import Column, Label, facts

_LAG: Final = series("flatline_consumer_lag_records")
_COMMIT: Final = series("flatline_last_commit_timestamp_seconds")
# As of each scrape, and not of now: how long that is ago is nobody's delay.
_COMMIT_AGE: Final = f"max by (instance) (timestamp({_COMMIT}) - {_COMMIT})"
_QUANTILES: Final = {0.5: "median", 0.9: "p90", 0.99: "p99"}
_REQUESTS: Final = "flatline_ingest_requests_total"
_ALERTS: Final = (
    "Worker.*|Consumer.*|Commits.*|Ingest.*|Serve.*|DeadLetters|Partitions.*|Notifications.*|Rules.*|Config.*"
)
_UP: Final = series("up", OURS)
_INGESTS_UP: Final = series("up", OURS, 'job="flatline-ingest"')
_DEAD_LETTERS: Final = "topic_reason:flatline_dead_letters:increase15m"
_FAILED_REQUESTS: Final = 'code:flatline_ingest_requests:increase15m{code=~"5.."}'


def made() -> Dashboard:
    """Return the dashboard."""
    return board(
        PIPELINE,
        "Pipeline",
        "The state of workers, ingest, page and API: throughput, lag, commits, dead letters, requests and resources.",
        [
            Row(1, "How the pipeline does now", _glance()),
            Row(2, "Throughput and lag", _flow()),
            Row(3, "Commits and partitions", _commits()),
            Row(4, "Push API", _push()),
            Row(7, "Page and API", _serve()),
            Row(5, "Dead letters and forwarded records", _letters(), is_folded=True),
            Row(6, "Resources of the processes", _processes(), is_folded=True),
        ],
        events=[alerts(_ALERTS, 'alertname!="Watchdog"')],
        since="now-6h",
        refresh="30s",
    )


def _glance() -> list[Builder[Panel]]:
    assigned, recovered = (
        f"sum({series('flatline_partitions', phase)})" for phase in ('phase="assigned"', 'phase="recovered"')
    )
    return [
        figure(
            17,
            "Processes down",
            "Workers, ingests and servers of the page that Prometheus does not reach. If one is down for minutes, see "
            "WorkerDown, IngestDown or ServeDown in the runbook.",
            at_end(f"sum(1 - {_UP})", "down"),
            limits=[Limit(1, BAD)],
        ),
        figure(
            12,
            "Consumer lag",
            "Records waiting to be processed, in all partitions. Orange from 10,000 (no verdict gets "
            "worse above that), red from 100,000. If it falls, a backlog is being worked off; if it "
            "grows, start another worker.",
            at_end(f"sum({_LAG})", "records"),
            limits=[Limit(1, PLAIN), Limit(10_000, DOUBTFUL), Limit(100_000, BAD)],
        ),
        figure(
            13,
            "Oldest commit",
            "Age of the last commit of the worker that is furthest behind. Workers commit about every "
            "second, also when idle. Orange from 30 seconds, red from two minutes.",
            at_end(f"max({_COMMIT_AGE})", "ago"),
            unit="s",
            limits=[Limit(0, PLAIN), Limit(30, DOUBTFUL), Limit(120, BAD)],
        ),
        figure(
            14,
            "Stuck workers",
            "Workers that have records to process but have made no progress for a minute. Red from 1.",
            at_end(f"sum({series('flatline_worker_stuck')})", "workers"),
            limits=[Limit(1, BAD)],
        ),
        figure(
            18,
            "Dead letters, 24 h",
            "Records that could not be read in the last 24 hours. Each is missing from every figure until its producer "
            f"is mended and sends it again. {OF_ALL}",
            at_end(or_zero(in_24_hours(_DEAD_LETTERS), WORKERS), "records"),
            limits=[Limit(1, DOUBTFUL)],
        ),
        figure(
            19,
            "Push 5xx, 24 h",
            "Requests of the last 24 hours that the ingest answered with 5xx. Senders try again, so nothing is lost, "
            f"but it comes later. {OF_ALL}",
            at_end(or_zero(in_24_hours(_FAILED_REQUESTS), f"{_INGESTS_UP} > 0"), "requests"),
            limits=[Limit(1, DOUBTFUL)],
        ),
        workers_up(11, width=6),
        figure(
            44,
            "Ingests up",
            "Ingests that answer Prometheus.",
            at_end(f"sum({_INGESTS_UP})", "up"),
            width=6,
            limits=[Limit(0, BAD), Limit(1, GOOD)],
        ),
        figure(
            15,
            "Partitions being restored",
            "Assigned partitions whose state is not restored yet; they are not processed meanwhile. A "
            "few seconds after a rebalance are normal, minutes are not.",
            at_end(f"{assigned} - {recovered}", "partitions"),
            limits=[Limit(1, DOUBTFUL)],
            width=6,
        ),
        figure(
            16,
            "Versions that run",
            "More than one outside a deployment: a process was forgotten. Resources of the processes, below, lists "
            "which runs what.",
            at_end(f"count(count by (version) ({series('flatline_build_info')}))", "versions"),
            limits=[Limit(1, PLAIN), Limit(2, DOUBTFUL)],
            width=6,
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
                unit="eps",
                soft_max=1,
            )
        ),
        stacked(
            lines(
                22,
                "Consumer lag by topic",
                "Records waiting to be processed, by topic. A peak that drains is a backlog. If the "
                "lag keeps growing, start another worker, or check whether one is stuck.",
                on_range(f"sum by (topic) ({_LAG})", "{{topic}}"),
                soft_max=100,
                decimals=0,
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
            soft_max=100,
            decimals=0,
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
            unit="suffix:s",
            decimals=0,
            limits=[Limit(30, DOUBTFUL), Limit(120, BAD)],
            soft_max=150,
        ),
        spread(
            32,
            "Duration of commits",
            "Time that a commit takes. More than a second: Kafka or its disk is slow.",
            "flatline_commit_duration_seconds",
        ),
        lines(
            33,
            "Rebalances of each worker",
            "Rebalances that each worker took part in. Each one stops all workers for a moment. Many "
            "per hour without a deployment mean that a worker keeps restarting.",
            on_range(f"sum by (instance) ({rebalances})", "{{instance}}"),
            width=8,
            decimals=0,
            soft_max=5,
        ),
        dashed(
            lines(
                34,
                "Partitions assigned and recovered",
                "Partitions assigned (dashed), and those of them whose state is back. Nothing is applied while they "
                "differ.",
                on_range(f"sum by (phase) ({series('flatline_partitions')})", "{{phase}}"),
                width=8,
                decimals=0,
                soft_max=1,
            ),
            "assigned",
        ),
        lines(
            35,
            "Recovery time of each worker",
            "How long the last restore of assigned partitions took. It grows with the number of links.",
            on_range(f"max by (instance) ({series('flatline_recovery_duration_seconds')})", "{{instance}}"),
            unit="s",
            width=8,
        ),
    ]


def _push() -> list[Builder[Panel]]:
    failed = over_time(_REQUESTS, 'code=~"5.."')
    asked = over_time(_REQUESTS)
    return [
        _requests_by_status(
            41,
            "Push requests by status",
            "Requests per second. 5xx: Kafka could not be reached and senders were told to retry. "
            "429: a sender is too fast. 401: a token is wrong.",
            asked,
        ),
        lines(
            42,
            "Push requests that failed",
            "Share of requests answered with 5xx. Dashed: 5 %. Senders try again, so nothing is lost, but it comes "
            "later. No data while nobody pushes.",
            on_range(f"(sum({failed}) or 0 * sum({asked})) / (sum({asked}) > 0)", "5xx"),
            unit="percentunit",
            limits=[Limit(0.05, BAD)],
            width=8,
            soft_max=0.1,
        ),
        _latency(
            43,
            "Push latency",
            "Time from the head of a request to its response, which waits until Kafka has every "
            "event. Several seconds: Kafka is slow, or the batches are very large.",
            "flatline_ingest_request_duration_seconds",
        ),
    ]


def _serve() -> list[Builder[Panel]]:
    return [
        lines(
            71,
            "Records ahead",
            "Records that the read model of the page and the API does not hold yet: what it answers is as old as the "
            "oldest of them. Dashed: 10,000. A peak that drains is an import, or a read model that is made anew.",
            on_range(f"max by (instance) ({series('flatline_serve_waiting_records')})", "{{instance}}"),
            limits=[Limit(10_000, BAD)],
            width=8,
            decimals=0,
            soft_max=10_000,
        ),
        _requests_by_status(
            72,
            "API requests by status",
            "Requests per second. 503: the read model is being made, a query took too long, or there were too "
            "many requests. 401: a token is wrong. No data while nobody asks.",
            over_time("flatline_serve_requests_total"),
        ),
        _latency(
            73,
            "API latency",
            "Time from the head of a request to the end of its answer, without exports and live feeds. No data while "
            "nobody asks.",
            "flatline_serve_request_duration_seconds",
        ),
    ]


def _requests_by_status(number: int, title: str, about: str, requests: str) -> Builder[Panel]:
    panel = lines(
        number, title, about, on_range(f"sum by (code) ({requests})", "{{code}}"), unit="reqps", width=8, soft_max=1
    )
    return coloured(stacked(panel), OF_STATUS, are_patterns=True)


def _latency(number: int, title: str, about: str, seconds: str) -> Builder[Panel]:
    quantiles = (on_range(quantile(q, seconds), name) for q, name in _QUANTILES.items())
    return lines(number, title, about, *quantiles, unit="s", width=8)


def _letters() -> list[Builder[Panel]]:
    return [
        lines(
            51,
            "Dead letters by reason",
            "Records that could not be read, in 15 minutes. They are missing from all counts until "
            f"the producer is fixed and sends them again. {OF_ALL} {EMPTY_WHEN_WELL}",
            on_range(recorded(_DEAD_LETTERS), "{{topic}}: {{reason}}"),
            decimals=0,
            soft_max=10,
            height=6,
            legend=["max"],
        ),
        lines(
            52,
            "Forwarded records",
            "Records per second that were forwarded to their article's partition because the producer "
            f"used another key. This does no harm, but costs an extra hop. {EMPTY_WHEN_WELL}",
            on_range(f"sum by (topic) ({over_time('flatline_records_forwarded_total')})", "{{topic}}"),
            unit="recps",
            soft_max=1,
            height=6,
        ),
    ]


def _processes() -> list[Builder[Panel]]:
    by_process = "{{job}} {{instance}}"
    return [
        lines(
            61,
            "Memory of each process",
            "Resident memory. A worker's memory grows with the links and articles of its partitions, "
            "and then stays level.",
            on_range(f"max by (job, instance) ({series('process_resident_memory_bytes', OURS)})", by_process),
            unit="bytes",
        ),
        lines(
            62,
            "CPU of each process",
            "CPU cores in use. A worker uses at most one core. If it stays at 1 (dashed), start another worker.",
            on_range(f"sum by (job, instance) ({over_time('process_cpu_seconds_total', OURS)})", by_process),
            decimals=2,
            limits=[Limit(1, BAD)],
            soft_max=1.1,
        ),
        lines(
            63,
            "Event loop lag of each worker",
            "How late a worker's event loop runs. At half the session timeout (10 seconds by default, "
            "dashed) the worker exits.",
            on_range(f"max by (instance) ({series('flatline_event_loop_lag_seconds')})", "{{instance}}"),
            unit="suffix:s",
            limits=[Limit(10, BAD)],
            soft_max=11,
        ),
        facts(
            64,
            "Processes and their versions",
            "What runs where, and since when.",
            Label("job", "Job", width=130),
            Label("instance", "Instance", at_least=120),
            Label("version", "Version", width=90),
            Column("Up", f"max by (job, instance) ({_UP})", words=words({0: ("down", BAD), 1: ("up", GOOD)}), width=60),
            Column(
                "Started",
                f"1000 * max by (job, instance) ({series('process_start_time_seconds', OURS)})",
                DATE,
                width=105,
            ),
            described=[f"group by (job, instance, version) ({series('flatline_build_info')})"],
            sort_by="Instance",
            descending=False,
            width=12,
        ),
    ]
