"""All metrics of `flatline connect run`."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics

from flatline.process_metrics import register_build, register_process
from flatline.schema.connector_record import BudgetUnit, ConnectorStatus

# A second series for each counter, of use to nobody here.
disable_created_metrics()  # type: ignore[no-untyped-call]

_CONNECTOR: Final = ["connector"]


class ConnectMetrics:
    """The metrics. A ``connector`` is a section of connectors.toml, so there are few. It is shown where it runs."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.runs = Counter(
            "flatline_connector_runs",
            "Runs by how they ended. completed: all that was there was read and is in Kafka; waiting: the other side "
            "asked for a pause, or something unexpected came; failed: retries did not help; out_of_budget; stopped: "
            "somebody has to mend it.",
            [*_CONNECTOR, "outcome"],
            registry=registry,
        )
        self.records = Counter(
            "flatline_connector_records",
            "Records that Kafka acknowledged, by type (link, article, visits). After a crash some are sent again; they "
            "count once in all that follows.",
            [*_CONNECTOR, "type"],
            registry=registry,
        )
        self.rejected = Counter(
            "flatline_connector_rejected",
            "What was found and can't be read, by reason. It is in the dead-letter topic, with the connector's name.",
            [*_CONNECTOR, "reason"],
            registry=registry,
        )
        self.retries = Counter(
            "flatline_connector_retries",
            "Polls that were tried again after an error that may pass, such as a server error.",
            _CONNECTOR,
            registry=registry,
        )
        self.missed = Counter(
            "flatline_connector_missed_seconds",
            "Time of which nothing was seen, and nothing will be: the connector did not run, and the other side keeps "
            "nothing so old. The source's heartbeats do not claim it.",
            _CONNECTOR,
            registry=registry,
        )
        self.failures = Gauge(
            "flatline_connector_failures",
            "Runs that failed, waited or stopped since the last one that was completed. 3 and more alert.",
            _CONNECTOR,
            registry=registry,
        )
        self.stopped = Gauge(
            "flatline_connector_stopped",
            "1 if the connector does not run again until somebody mends it and starts the process again, else 0.",
            _CONNECTOR,
            registry=registry,
        )
        self.out_of_budget = Gauge(
            "flatline_connector_out_of_budget",
            "1 if the last run ended because the budget was spent, else 0. It goes on when the next period begins.",
            _CONNECTOR,
            registry=registry,
        )
        self.completed = Gauge(
            "flatline_connector_last_completed_timestamp_seconds",
            "When a run was last completed; 0 if none was yet.",
            _CONNECTOR,
            registry=registry,
        )
        self.next_run = Gauge(
            "flatline_connector_next_run_timestamp_seconds",
            "When it runs next; 0 if it is stopped, or runs for the first time.",
            _CONNECTOR,
            registry=registry,
        )
        self.seen_until = Gauge(
            "flatline_connector_seen_until_timestamp_seconds",
            "Up to when it has seen everything, as its heartbeats say; 0 if it can't tell.",
            _CONNECTOR,
            registry=registry,
        )
        self.budget_limit = Gauge(
            "flatline_connector_budget_limit",
            "The budget of a period, by unit: requests, rows, or a vendor's units.",
            [*_CONNECTOR, "unit"],
            registry=registry,
        )
        self.budget_left = Gauge(
            "flatline_connector_budget_left",
            "What was left of the budget after the last run or request, in the period that it was in.",
            [*_CONNECTOR, "unit"],
            registry=registry,
        )
        self.owned = Gauge(
            "flatline_connectors",
            "Connectors that this process runs now. All processes of one connectors.toml together run each once.",
            registry=registry,
        )
        register_build(registry)
        register_process(registry)

    def show(
        self,
        connector: str,
        status: ConnectorStatus,
        *,
        limits: Mapping[BudgetUnit, int],
        left: Mapping[BudgetUnit, int],
    ) -> None:
        """Show the status of a connector that runs here."""
        self.failures.labels(connector).set(status.failures)
        self.stopped.labels(connector).set(status.outcome == "stopped")
        self.out_of_budget.labels(connector).set(status.outcome == "out_of_budget")
        for gauge, instant in (
            (self.completed, status.completed_at),
            (self.next_run, status.next_run_at),
            (self.seen_until, status.seen_until),
        ):
            gauge.labels(connector).set(instant.timestamp() if instant else 0)
        for unit, limit in limits.items():
            self.budget_limit.labels(connector, unit).set(limit)
            self.budget_left.labels(connector, unit).set(left[unit])
        self.runs.labels(connector, "completed")
        self.retries.labels(connector)
        self.missed.labels(connector)

    def forget(self, connector: str) -> None:
        """Show no more of a connector that another process runs now."""
        for gauge in (
            self.failures,
            self.stopped,
            self.out_of_budget,
            self.completed,
            self.next_run,
            self.seen_until,
        ):
            gauge.remove(connector)
        for gauge in (self.budget_limit, self.budget_left):
            gauge.remove_by_labels({"connector": connector})
