"""What every dashboard has: links, variables, annotations, a range, ids that are nobody else's."""

from collections.abc import Sequence
from typing import NamedTuple

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, DashboardCursorSync, Panel, RowPanel

from grafana import annotations, links, variables


class Row(NamedTuple):
    """Panels under a heading. Secondary ones are folded away."""

    panel_id: int
    title: str
    panels: Sequence[Builder[Panel]]
    is_folded: bool = False


def board(
    uid: str,
    title: str,
    text: str,
    rows: Sequence[Row],
    *,
    chosen: Sequence[dashboard.QueryVariable] = (),
    events: Sequence[annotations.Annotation],
    since: str,
    refresh: str,
) -> Dashboard:
    """Return a dashboard. Raises ValueError if two panels have one id."""
    builder = (
        dashboard.Dashboard(f"Flatline / {title}")
        .uid(uid)
        .description(text)
        .tags(["flatline"])
        .readonly()
        .timezone("browser")
        .time(since, "now")
        .refresh(refresh)
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .variables([*variables.shared(is_of_content=uid in links.OF_CONTENT), *chosen])
        .annotations([annotations.starts(), *events])
        .links([*links.to_the_others(uid), links.to_the_runbook()])
    )
    for row in rows:
        heading = dashboard.Row(row.title).id(row.panel_id).collapsed(row.is_folded)
        if row.is_folded:
            for panel in row.panels:
                heading.with_panel(panel)
            builder.with_row(heading)
        else:
            builder.with_row(heading)
            for panel in row.panels:
                builder.with_panel(panel)
    made = builder.build()
    ids = [each.id_val for panel in made.panels or [] for each in _with_its_own(panel)]
    if len(set(ids)) < len(ids):
        raise ValueError(f"{title}: panels share an id: {sorted(ids, key=str)}")
    return made


def _with_its_own(panel: Panel | RowPanel) -> list[Panel | RowPanel]:
    return [panel, *(panel.panels if isinstance(panel, RowPanel) else [])]
