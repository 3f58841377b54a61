"""What our dashboards promise beyond the public rules."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from flatline.local import programs
from tests.grafana import conventions
from tests.grafana.dashboards import Dashboard, all_dashboards, annotations
from tests.grafana.sound import sound

PROMETHEUS = programs.PROJECT / "deploy" / "prometheus"
# Prometheus' own, and those of the clients of both jobs.
FOREIGN = {"ALERTS", "ALERTS_FOR_STATE", "up", "scrape_duration_seconds", "scrape_samples_scraped"}
PROCESS = re.compile(
    r"process_(resident_memory_bytes|virtual_memory_bytes|cpu_seconds_total|start_time_seconds|open_fds|max_fds)"
)
BY_UID = {dashboard["uid"]: dashboard for dashboard in all_dashboards().values()}
CONTENT = re.compile(r"/d/flatline-(?:portfolio|article|cohorts)[^\"]*")
EXPECTED = {"flatline-portfolio", "flatline-article", "flatline-cohorts", "flatline-sources", "flatline-pipeline"}

for_each_dashboard = pytest.mark.parametrize("dashboard", all_dashboards().values(), ids=all_dashboards())
Damage = Callable[[Dashboard], object]
Convention = Callable[[Dashboard], Iterator[str]]


@cache
def metrics() -> frozenset[str]:
    """Return every metric that may be named: those of the table, of recording rules, and Prometheus' own."""
    table = re.findall(r"^\| `(\w+)` \| (\w+)", (PROMETHEUS / "METRICS.md").read_text(), re.MULTILINE)
    exposed = {name for name, _ in table}
    histograms = {
        f"{name}_{part}" for name, kind in table if kind == "histogram" for part in ("bucket", "count", "sum")
    }
    return frozenset(exposed | histograms | recorded() | FOREIGN)


def recorded() -> set[str]:
    """Return the series that rules record."""
    groups = [
        group
        for file in Path(PROMETHEUS / "rules").glob("*.yml")
        for group in yaml.safe_load(file.read_text())["groups"]
    ]
    return {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}


def missing_metrics(dashboard: Dashboard) -> Iterator[str]:
    """Every metric exists."""
    process = {name for name in conventions.metrics_asked(dashboard) if PROCESS.fullmatch(name)}
    return conventions.unknown_metrics(dashboard, metrics() | process)


def links(dashboard: Dashboard) -> Iterator[str]:
    """Links lead somewhere."""
    return conventions.links(dashboard, {dashboard["uid"]: dashboard} | BY_UID)


CONVENTIONS: tuple[Convention, ...] = (
    conventions.ids,
    conventions.grid,
    conventions.ours_alone,
    conventions.thresholds,
    conventions.used_variables,
    links,
    missing_metrics,
)
STEPS = [{"color": "green", "value": None}, {"color": "red", "value": 80}]


def place(x: int, y: int, w: int) -> Damage:
    """Return what puts the second panel elsewhere."""
    return lambda dashboard: dashboard["panels"][1].update(gridPos={"h": 8, "w": w, "x": x, "y": y})


def link_to(url: str) -> Damage:
    """Return what adds a link to the dashboard."""
    return lambda dashboard: dashboard["links"].append({"title": "There", "type": "link", "url": url})


def coloured(*values: float | None) -> Damage:
    """Return what gives the second panel thresholds."""
    steps = [{"color": f"#{number}", "value": value} for number, value in enumerate(values)]
    return lambda dashboard: dashboard["panels"][1]["fieldConfig"]["defaults"].update(thresholds={"steps": steps})


def asks(query: str) -> Damage:
    """Return what makes the second panel ask this."""
    return lambda dashboard: dashboard["panels"][1]["targets"][0].update(expr=query)


BROKEN: list[tuple[Convention, str, Damage]] = [
    (conventions.ids, "two panels with one id", lambda d: d["panels"][1].update(id=1)),
    (conventions.ids, "no id", lambda d: d["panels"][1].pop("id")),
    (conventions.ids, "id of a Grafana", lambda d: d.update(id=7)),
    (conventions.grid, "over the edge", place(12, 0, 13)),
    (conventions.grid, "over another", place(11, 7, 12)),
    (conventions.grid, "no width", place(12, 0, 0)),
    (conventions.ours_alone, "any exporter's", asks('up{job=~"$job"}')),
    (conventions.thresholds, "descending", coloured(None, 5, 3)),
    (conventions.thresholds, "no colour below", coloured(3, 5)),
    (
        conventions.thresholds,
        "Grafana's own",
        lambda d: d["panels"][1]["fieldConfig"]["defaults"].update(thresholds={"steps": STEPS}),
    ),
    (conventions.used_variables, "unknown", asks('flatline_articles{state="$state"}')),
    (
        conventions.used_variables,
        "without effect",
        lambda d: d["templating"]["list"].append({"name": "state", "type": "custom", "query": "new"}),
    ),
    (links, "no such dashboard", link_to("/d/flatline-profits")),
    (links, "no such variable", link_to("/d/flatline-sound?var-article=x")),
    (links, "no such tag", lambda d: d["links"].append({"type": "dashboards", "tags": ["other"]})),
    (missing_metrics, "of ours", asks("flatline_artikles")),
    (missing_metrics, "recorded", asks("job:flatline_artikles:sum")),
    (
        missing_metrics,
        "of a variable",
        lambda d: d["templating"]["list"][1].update(query="label_values(flatline_x, job)"),
    ),
]


@pytest.mark.parametrize("rule", CONVENTIONS, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("dashboard", [sound(), *all_dashboards().values()], ids=["sound", *all_dashboards()])
def test_conventions_hold(dashboard: Dashboard, rule: Convention) -> None:
    """For every dashboard."""
    assert list(rule(dashboard)) == []


@pytest.mark.parametrize(
    ("rule", "damage"), [(r, d) for r, _, d in BROKEN], ids=[f"{r.__name__}: {n}" for r, n, _ in BROKEN]
)
def test_each_convention_finds_what_breaks_it(rule: Convention, damage: Damage) -> None:
    """And only that one complains."""
    dashboard = sound()
    damage(dashboard)
    assert {each.__name__ for each in CONVENTIONS if list(each(dashboard))} == {rule.__name__}


def test_each_convention_is_broken_once() -> None:
    """A rule that nothing breaks proves nothing."""
    assert {rule for rule, _, _ in BROKEN} == set(CONVENTIONS)


def test_all_dashboards_are_there() -> None:
    """Those that alerts and other dashboards link to, each in a file of its name."""
    assert set(BY_UID) == EXPECTED
    assert set(all_dashboards()) == EXPECTED


@for_each_dashboard
def test_alerts_and_deployments_are_marked(dashboard: Dashboard) -> None:
    """Whoever sees a step in a curve sees what happened then."""
    queries = " ".join(str(annotation) for annotation in annotations(dashboard))
    assert "ALERTS" in queries
    assert re.search(r"process_start_time_seconds|flatline_build_info", queries)


@for_each_dashboard
def test_runbook_and_other_dashboards_are_at_hand(dashboard: Dashboard) -> None:
    """From each dashboard one gets to the runbook and to the others."""
    text = str(dashboard["links"])
    assert "RUNBOOK.md" in text
    assert "'dashboards'" in text or sum(uid in text for uid in EXPECTED) >= len(EXPECTED) - 1


@for_each_dashboard
def test_content_is_shown_of_all_workers(dashboard: Dashboard) -> None:
    """A worker that is chosen elsewhere has a part of it, which would look like all."""
    for link in dashboard["links"]:
        assert not link["includeVars"] or not CONTENT.search(link["url"])
    for target in CONTENT.finditer(json.dumps(dashboard)):
        assert "datasource" in target[0]
        assert not re.search(r"job|instance|__all_variables", target[0])
