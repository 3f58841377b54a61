"""The rules of Grafana's dashboard-linter (https://github.com/grafana/dashboard-linter, docs/rules) for Prometheus.

Each is a function that yields what is wrong with a dashboard, in words that name the place. Where the original looks at
some types of panels only, ours look at all that show figures.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.grafana import promql
from tests.grafana.dashboards import (
    Dashboard,
    Variable,
    annotation_query,
    annotations,
    datasource_uid,
    panels,
    targets,
    variable_query,
    variables,
)
from tests.grafana.units import OWN_UNITS, UNITS

Rule = Callable[[Dashboard], Iterator[str]]
_DATASOURCES: Final = {"$datasource", "${datasource}"}
_FUNCTION: Final = re.compile(r"(label_names|label_values|metrics|query_result)\((.*)\)")
_ON_TIME_RANGE_CHANGE: Final = 2


def queries(dashboard: Dashboard) -> Iterator[tuple[str, str]]:
    """Yield every query of panels, with its place."""
    return (
        (f"{panel.get('title')!r} {target.get('refId', '')}", target.get("expr", ""))
        for panel, target in targets(dashboard)
    )


def readable(dashboard: Dashboard) -> Iterator[tuple[str, str]]:
    """Yield those that are PromQL: of the others one rule complains."""
    return ((place, query) for place, query in queries(dashboard) if not _error_in(query))


def template_datasource(dashboard: Dashboard) -> Iterator[str]:
    """One variable is the data source, under the name and label that Grafana's own dashboards have."""
    found = [(each["name"], each.get("label"), each.get("query")) for each in variables(dashboard, "datasource")]
    if found != [("datasource", "Data source", "prometheus")]:
        yield f"variables of data sources are {found}"


def template_job(dashboard: Dashboard) -> Iterator[str]:
    """Offer the job for choice."""
    yield from _wrong_selection(dashboard, "job", "Job")


def template_instance(dashboard: Dashboard) -> Iterator[str]:
    """Offer the instance for choice."""
    yield from _wrong_selection(dashboard, "instance", "Instance")


def _wrong_selection(dashboard: Dashboard, name: str, label: str) -> Iterator[str]:
    found = [variable for variable in variables(dashboard) if variable["name"] == name]
    if not found:
        yield f"no variable {name}"
        return
    [variable] = found
    if datasource_uid(variable) not in _DATASOURCES:
        yield f"variable {name} asks {datasource_uid(variable)!r}"
    expected = {"type": "query", "label": label, "multi": True, "includeAll": True, "allValue": ".+"}
    for key, value in expected.items():
        if variable.get(key) != value:
            yield f"variable {name} has {key} {variable.get(key)!r} instead of {value!r}"


def template_label_promql(dashboard: Dashboard) -> Iterator[str]:
    """Variables ask Prometheus by a function of its data source, with PromQL in it."""
    for variable in variables(dashboard, "query"):
        selector = selector_of(variable)
        if selector is None or (selector and _error_in(selector)):
            yield f"variable {variable['name']} asks {variable_query(variable)!r}"


def selector_of(variable: Variable) -> str | None:
    """Return the PromQL of what a query variable asks, empty where it needs none; None for what can't be asked."""
    call = _FUNCTION.fullmatch(variable_query(variable))
    if call is None:
        return None
    return {"label_values": call[2].rpartition(",")[0], "query_result": call[2]}.get(call[1], "")


def template_on_time_change_reload(dashboard: Dashboard) -> Iterator[str]:
    """Offer for choice what there is in the time range shown."""
    for variable in variables(dashboard, "query"):
        if variable.get("refresh") != _ON_TIME_RANGE_CHANGE:
            yield f"variable {variable['name']} has refresh {variable.get('refresh')}"


def panel_datasource(dashboard: Dashboard) -> Iterator[str]:
    """Panels, their targets and annotations ask the data source that was chosen."""
    for panel in panels(dashboard):
        yield from _fixed_source(f"{panel.get('title')!r}", panel)
    for panel, target in targets(dashboard):
        if "datasource" in target:
            yield from _fixed_source(f"{panel.get('title')!r} {target.get('refId')}", target)
    for annotation in annotations(dashboard):
        yield from _fixed_source(f"annotation {annotation['name']}", annotation)


def _fixed_source(place: str, element: dict[str, Any]) -> Iterator[str]:
    if datasource_uid(element) not in _DATASOURCES:
        yield f"{place} asks {datasource_uid(element)!r}"


def panel_title_description(dashboard: Dashboard) -> Iterator[str]:
    """Each panel says what it shows, and what to make of it."""
    for panel in panels(dashboard):
        if not panel.get("title") or not panel.get("description"):
            yield f"panel {panel.get('id')}: title {panel.get('title')!r}, description {panel.get('description')!r}"


def panel_units(dashboard: Dashboard) -> Iterator[str]:
    """Figures have a unit that Grafana knows, unless words stand for them."""
    for panel in panels(dashboard):
        config = panel.get("fieldConfig", {})
        defaults = config.get("defaults", {})
        properties = [each for override in config.get("overrides", []) for each in override["properties"]]
        if defaults.get("mappings") or any(each["id"] == "mappings" for each in properties):
            continue
        if panel.get("options", {}).get("reduceOptions", {}).get("fields"):
            continue
        units = [defaults.get("unit"), *(each.get("value") for each in properties if each["id"] == "unit")]
        used = {unit for unit in units if unit}
        if not used or not {unit for unit in used if not unit.startswith(OWN_UNITS)} <= UNITS:
            yield f"{panel.get('title')!r} has the units {sorted(used)}"


def panel_no_targets(dashboard: Dashboard) -> Iterator[str]:
    """Each panel asks something."""
    for panel in panels(dashboard):
        if not panel.get("targets"):
            yield f"{panel.get('title')!r} asks nothing"


def target_promql(dashboard: Dashboard) -> Iterator[str]:
    """Every query is PromQL."""
    asked = [
        *queries(dashboard),
        *((f"annotation {each['name']}", annotation_query(each)) for each in annotations(dashboard)),
    ]
    for place, query in asked:
        if error := _error_in(query):
            yield f"{place}: {query!r}: {error}"


def _error_in(query: str) -> str:
    try:
        promql.tree_of(query)
    except ValueError as error:
        return str(error)
    return ""


def target_rate_interval(dashboard: Dashboard) -> Iterator[str]:
    """Rates are taken over as long as the resolution and the scraping need."""
    for place, query in readable(dashboard):
        if fixed := promql.rates_over_fixed_ranges(query):
            yield f"{place}: {fixed}"


def target_job(dashboard: Dashboard) -> Iterator[str]:
    """Everything is of the jobs that were chosen."""
    yield from _unmatched(dashboard, "job")


def target_instance(dashboard: Dashboard) -> Iterator[str]:
    """Everything is of the instances that were chosen."""
    yield from _unmatched(dashboard, "instance")


def _unmatched(dashboard: Dashboard, label: str) -> Iterator[str]:
    for place, query in readable(dashboard):
        for selector in promql.selectors(query):
            if not promql.is_of_rules(selector) and not promql.has_matcher(selector, label, f"${label}"):
                yield f'{place}: {selector.prettify()} without {label}=~"${label}"'


def target_counter_agg(dashboard: Dashboard) -> Iterator[str]:
    """Nobody has to read a counter."""
    for place, query in readable(dashboard):
        if raw := promql.raw_counters(query):
            yield f"{place}: {raw}"


def uneditable(dashboard: Dashboard) -> Iterator[str]:
    """Nobody changes it in Grafana, where that would be lost: the code is the truth."""
    if dashboard.get("editable") is not False:
        yield "it can be edited"


RULES: Final[tuple[Rule, ...]] = (
    template_datasource,
    template_job,
    template_instance,
    template_label_promql,
    template_on_time_change_reload,
    panel_datasource,
    panel_title_description,
    panel_units,
    panel_no_targets,
    target_promql,
    target_rate_interval,
    target_job,
    target_instance,
    target_counter_agg,
    uneditable,
)
