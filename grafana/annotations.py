"""What happened, drawn through all panels of a dashboard: processes that started, and alerts."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import AnnotationQuery

from grafana.colours import BAD, NEUTRAL
from grafana.queries import CHOSEN, DATASOURCE, series

_START: Final = series("process_start_time_seconds")


class _Event(AnnotationQuery):
    """A query with the fields that Grafana's Prometheus data source reads and the SDK's type doesn't name."""

    def __init__(self, name: str, expr: str, colour: str, **more: object) -> None:
        super().__init__(name=name, datasource=DATASOURCE, icon_color=colour, expr=expr)
        self._more = more

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), **self._more}


class Annotation(Builder[AnnotationQuery]):
    """Hands an event to a dashboard's builder."""

    def __init__(self, event: AnnotationQuery) -> None:
        self._event = event

    def build(self) -> AnnotationQuery:
        """Return the event."""
        return self._event


def starts() -> Annotation:
    """Return the starts of workers and ingests, with the version: deployments, and restarts nobody made."""
    version = f"group by (job, instance, version) (flatline_build_info{{{CHOSEN}}})"
    return Annotation(
        _Event(
            "Starts and deployments",
            f"1000 * max by (job, instance) ({_START}) * on (job, instance) group_left (version) {version}",
            NEUTRAL,
            titleFormat="{{job}} {{version}} started",
            tagKeys="instance",
            useValueForTime=True,
        )
    )


def alerts(pattern: str, *matchers: str) -> Annotation:
    """Return the alerts whose name matches a pattern, where they began to fire.

    Grafana colours all the time in which an alert fires, on each panel, and articles stay silent for months.
    """
    chosen = ", ".join(('alertstate="firing"', f'alertname=~"{pattern}"', *matchers))
    firing = f"ALERTS{{{chosen}}}"
    return Annotation(
        _Event(
            "Alerts",
            # From one point to the next, or a beginning would fall between two.
            f"{firing} unless {firing} offset $__rate_interval",
            BAD,
            titleFormat="{{alertname}}",
            tagKeys="severity,article,kind,group,source,instance",
        )
    )
