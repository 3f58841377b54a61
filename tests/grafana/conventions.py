"""What our dashboards promise beyond the public rules. Each rule yields what is wrong, as those of `linter` do."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import combinations
from typing import Any, Final

from tests.grafana import promql
from tests.grafana.dashboards import (
    Dashboard,
    Panel,
    all_panels,
    annotation_query,
    annotations,
    panels,
    variables,
)
from tests.grafana.linter import queries, readable, selector_of

COLUMNS: Final = 24
_DASHBOARD_LINK: Final = re.compile(r"/d/([A-Za-z0-9_-]+)[^\"\\]*")
_EVERYBODYS: Final = re.compile(r"up|(scrape|process)_\w+")
_LINK_VARIABLE: Final = re.compile(r"[?&]var-([a-z_]+)=")


def ids(dashboard: Dashboard) -> Iterator[str]:
    """Panels have ids of their own, so that a link to one stays one; the dashboard gets its from Grafana."""
    found = Counter(panel.get("id") for panel in all_panels(dashboard))
    for number, count in found.items():
        if not number or count > 1:
            yield f"{count} panels have the id {number}"
    if dashboard.get("id") is not None:
        yield f"the dashboard has the id {dashboard['id']}"


def grid(dashboard: Dashboard) -> Iterator[str]:
    """No panel covers another or leaves the screen."""
    shown = dashboard.get("panels", [])
    for panel in all_panels(dashboard):
        place = panel["gridPos"]
        if place["w"] < 1 or place["h"] < 1 or place["x"] < 0 or place["y"] < 0 or place["x"] + place["w"] > COLUMNS:
            yield f"{panel.get('title')!r} is at {place}"
    for siblings in (shown, *(panel["panels"] for panel in shown if panel.get("panels"))):
        for one, other in combinations(siblings, 2):
            if _overlap(one, other):
                yield f"{one.get('title')!r} covers {other.get('title')!r}"


def _overlap(one: Panel, other: Panel) -> bool:
    a, b = one["gridPos"], other["gridPos"]
    return all(a[at] < b[at] + b[size] and b[at] < a[at] + a[size] for at, size in (("x", "w"), ("y", "h")))


def links(dashboard: Dashboard, others: dict[str, Dashboard]) -> Iterator[str]:
    """Links lead to dashboards that are there, and set variables that those have. ``others``: all of them, by uid."""
    text = json.dumps(dashboard, ensure_ascii=False)
    for link in _DASHBOARD_LINK.finditer(text):
        if link[1] not in others:
            yield f"a link leads to {link[1]}"
            continue
        known = {variable["name"] for variable in variables(others[link[1]])}
        for name in _LINK_VARIABLE.findall(link[0]):
            if name not in known:
                yield f"a link sets {name} of {link[1]}"
    tags = {tag for other in others.values() for tag in other.get("tags", [])}
    for link in dashboard.get("links", []):
        if link.get("type") == "dashboards" and not tags & set(link.get("tags", [])):
            yield f"the link {link.get('title')!r} lists dashboards with tags that none has"


def used_variables(dashboard: Dashboard) -> Iterator[str]:
    """Offer only what has an effect, and name only what is offered."""
    known = {variable["name"] for variable in variables(dashboard)}
    rest = json.dumps({**dashboard, "templating": {"list": [{**v, "name": ""} for v in variables(dashboard)]}})
    for name in known:
        if not re.search(rf"\$(?:{name}\b|\{{{name}\b)", rest):
            yield f"nothing depends on the variable {name}"
    for place, query in queries(dashboard):
        for name in re.findall(r"\$\{?([A-Za-z]\w*)", query):
            if name not in known:
                yield f"{place} names the variable {name}"


def metrics_asked(dashboard: Dashboard) -> set[str]:
    """Return every metric that queries, variables or annotations name."""
    asked = [query for _, query in readable(dashboard)]
    asked += [selector for each in variables(dashboard, "query") if (selector := selector_of(each))]
    asked += [annotation_query(annotation) for annotation in annotations(dashboard)]
    return set().union(*map(promql.metrics, asked))


def unknown_metrics(dashboard: Dashboard, known: Collection[str]) -> Iterator[str]:
    """Every metric exists."""
    return (f"there is no {name}" for name in sorted(metrics_asked(dashboard) - set(known)))


def ours_alone(dashboard: Dashboard) -> Iterator[str]:
    """Of metrics that every exporter has, those of other exporters are not shown: the job's All is every job."""
    for place, query in readable(dashboard):
        for selector in promql.selectors(query):
            if _EVERYBODYS.fullmatch(str(selector.name)) and not promql.has_matcher(selector, "job", "flatline-.*"):
                yield f"{place}: {selector.prettify()} is of every job"


def thresholds(dashboard: Dashboard) -> Iterator[str]:
    """Each colour has a meaning: thresholds ascend, and are not the 80 of anything with which Grafana begins."""
    for panel in panels(dashboard):
        steps: list[dict[str, Any]] = (
            panel.get("fieldConfig", {}).get("defaults", {}).get("thresholds", {}).get("steps", [])
        )
        values = [step.get("value") for step in steps]
        limits = [value for value in values if value is not None]
        if limits != sorted(limits) or values[:1] not in ([], [None]):
            yield f"{panel.get('title')!r} has the thresholds {values}"
        if [(step.get("color"), step.get("value")) for step in steps] == [("green", None), ("red", 80)]:
            yield f"{panel.get('title')!r} has the thresholds that Grafana begins with"
