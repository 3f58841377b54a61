"""The dashboards as Grafana reads them."""

import json
from collections.abc import Iterator
from typing import Any, Final

from flatline.local import programs

FOLDER: Final = programs.PROJECT / "grafana" / "dashboards"
# A panel of which this is said may be empty, but then there must be a run in which it isn't.
MAY_BE_EMPTY: Final = "Empty if there is no problem."
# And of which this is said may be so at first, for as long as it takes: it isn't in a history that was made for us.
MAY_BE_EMPTY_AT_FIRST: Final = "Empty until there is enough data."
MAY_BE_EMPTY_AT_TIMES: Final = "Empty while none does."
# Headings, prose and lists of other dashboards ask nothing.
_ASKS_NOTHING: Final = {"row", "text", "dashlist"}

Dashboard = dict[str, Any]
Panel = dict[str, Any]
Target = dict[str, Any]
Variable = dict[str, Any]


def all_dashboards() -> dict[str, Dashboard]:
    """Return the content of every committed dashboard, by its file's name."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}


def all_panels(dashboard: Dashboard) -> Iterator[Panel]:
    """Yield every panel, headings of rows and what is folded under them included."""
    for panel in dashboard.get("panels", []):
        yield panel
        yield from panel.get("panels", [])


def panels(dashboard: Dashboard) -> Iterator[Panel]:
    """Yield the panels that show figures."""
    return (panel for panel in all_panels(dashboard) if panel["type"] not in _ASKS_NOTHING)


def targets(dashboard: Dashboard) -> Iterator[tuple[Panel, Target]]:
    """Yield every query of every panel."""
    return ((panel, target) for panel in panels(dashboard) for target in panel.get("targets", []))


def annotations(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    """Yield the annotations that ask Prometheus; Grafana's own have no query."""
    return (each for each in dashboard.get("annotations", {}).get("list", []) if not each.get("builtIn"))


def annotation_query(annotation: dict[str, Any]) -> str:
    """Return what an annotation asks, in the older form or in that of panels."""
    return str(annotation.get("expr") or annotation.get("target", {}).get("expr", ""))


def variables(dashboard: Dashboard, *types: str) -> list[Variable]:
    """Return the variables, in their order; those of these types where some are given."""
    all_variables: list[Variable] = dashboard.get("templating", {}).get("list", [])
    return [each for each in all_variables if not types or each["type"] in types]


def variable_query(variable: Variable) -> str:
    """Return what a query variable asks, which has two forms."""
    query = variable.get("query", "")
    return str(query["query"] if isinstance(query, dict) else query)


def datasource_uid(element: dict[str, Any]) -> str:
    """Return the uid of the data source that a panel, target, variable or annotation names; none is empty."""
    source = element.get("datasource") or {}
    return str(source if isinstance(source, str) else source.get("uid", ""))
