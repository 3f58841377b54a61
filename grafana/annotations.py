"""What happened, drawn through all panels of a dashboard: processes that started, and alerts."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import AnnotationQuery

from grafana.colours import BAD, GREY, MARKED
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
            MARKED,
            titleFormat="{{job}} {{version}} started",
            tagKeys="instance",
            useValueForTime=True,
        )
    )


def alerts(pattern: str, *matchers: str) -> Annotation:
    """Return the alerts that somebody should act on and whose name matches a pattern."""
    return _beginnings("Alerts", BAD, pattern, 'severity=~"warning|critical"', *matchers)


def notices(pattern: str, *matchers: str) -> Annotation:
    """Return the alerts that only inform, good news among them. They are off until somebody turns them on."""
    return _beginnings("Notices", GREY, pattern, 'severity="info"', *matchers, is_on=False)


def _beginnings(name: str, colour: str, pattern: str, *matchers: str, is_on: bool = True) -> Annotation:
    """Return alerts at the time when they began to fire.

    Grafana would colour all the time in which an alert fires, on each panel, and articles stay silent for months.
    """
    chosen = ", ".join(('alertstate="firing"', f'alertname=~"{pattern}"', *matchers))
    firing = f"ALERTS{{{chosen}}}"
    return Annotation(
        _Event(
            name,
            # From one point to the next, or a beginning would fall between two.
            f"{firing} unless {firing} offset $__rate_interval",
            colour,
            enable=is_on,
            titleFormat="{{alertname}}",
            tagKeys="severity,article,kind,group,source,instance",
        )
    )
