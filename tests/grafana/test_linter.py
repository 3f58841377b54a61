"""The public linter's rules hold for every dashboard, and for each rule there is a dashboard that breaks it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.grafana import linter
from tests.grafana.dashboards import Dashboard, all_dashboards
from tests.grafana.linter import RULES, Rule
from tests.grafana.sound import sound

Damage = Callable[[Dashboard], object]


def variable(dashboard: Dashboard, name: str) -> dict[str, Any]:
    """Return a variable by its name."""
    [found] = [each for each in dashboard["templating"]["list"] if each["name"] == name]
    assert isinstance(found, dict)
    return found


def asks(query: str) -> Damage:
    """Return what makes the first panel ask this."""
    return lambda dashboard: dashboard["panels"][0]["targets"][0].update(expr=query)


def without(name: str) -> Damage:
    """Return what takes a variable away."""
    return lambda dashboard: dashboard["templating"]["list"].remove(variable(dashboard, name))


def with_(which: str, **fields: Any) -> Damage:
    """Return what changes a variable."""
    return lambda dashboard: variable(dashboard, which).update(fields)


def panel(**fields: Any) -> Damage:
    """Return what changes the first panel."""
    return lambda dashboard: dashboard["panels"][0].update(fields)


BOTH = 'job=~"$job", instance=~"$instance"'
OF_ANY_JOB = 'up{instance=~"$instance"}'
BROKEN: list[tuple[Rule, str, Damage]] = [
    (linter.template_datasource, "none", without("datasource")),
    (linter.template_datasource, "two", lambda d: d["templating"]["list"].append(variable(d, "datasource"))),
    (linter.template_datasource, "another name", with_("datasource", name="prometheus")),
    (linter.template_datasource, "another label", with_("datasource", label="datasource")),
    (linter.template_datasource, "another kind", with_("datasource", query="loki")),
    (linter.template_job, "none", without("job")),
    (linter.template_job, "single", with_("job", multi=False)),
    (linter.template_job, "fixed", with_("job", type="custom")),
    (linter.template_instance, "none", without("instance")),
    (linter.template_instance, "another label", with_("instance", label="instance")),
    (linter.template_instance, "all is a list", with_("instance", allValue=None)),
    (linter.template_instance, "one data source", with_("instance", datasource={"uid": "main"})),
    (linter.template_label_promql, "no function", with_("job", query={"query": "up"})),
    (linter.template_label_promql, "unknown function", with_("job", query="label_vals(up, job)")),
    (linter.template_label_promql, "broken selector", with_("job", query="label_values(up{, job)")),
    (linter.template_on_time_change_reload, "on load", with_("job", refresh=1)),
    (linter.panel_datasource, "one data source", panel(datasource={"type": "prometheus", "uid": "main"})),
    (linter.panel_datasource, "none", panel(datasource=None)),
    (
        linter.panel_datasource,
        "of a query",
        lambda d: d["panels"][0]["targets"][0].update(datasource={"uid": "main"}),
    ),
    (linter.panel_datasource, "of an annotation", lambda d: d["annotations"]["list"][0].update(datasource=None)),
    (linter.panel_title_description, "no title", panel(title="")),
    (linter.panel_title_description, "no description", panel(description="")),
    (linter.panel_units, "none", panel(fieldConfig={"defaults": {}, "overrides": []})),
    (linter.panel_units, "unknown", panel(fieldConfig={"defaults": {"unit": "seconds"}, "overrides": []})),
    (linter.panel_no_targets, "none", panel(targets=[])),
    (linter.target_promql, "broken", asks("sum(flatline_articles")),
    (linter.target_promql, "nothing", asks("")),
    (linter.target_promql, "of an annotation", lambda d: d["annotations"]["list"][0].update(expr="ALERTS{")),
    (linter.target_rate_interval, "fixed", asks(f"rate(flatline_dead_letters_total{{{BOTH}}}[5m])")),
    (linter.target_rate_interval, "another length", asks(f"irate(flatline_dead_letters_total{{{BOTH}}}[$__interval])")),
    (linter.target_job, "none", asks('flatline_articles{instance=~"$instance"}')),
    (linter.target_job, "equal", asks('flatline_articles{job="$job", instance=~"$instance"}')),
    (linter.target_job, "of one of two", asks(f"flatline_articles{{{BOTH}}} / " + OF_ANY_JOB)),
    (linter.target_instance, "none", asks('flatline_articles{job=~"$job"}')),
    (linter.target_instance, "another variable", asks('flatline_articles{job=~"$job", instance=~"$node"}')),
    (linter.target_counter_agg, "as it is", asks(f"sum(flatline_dead_letters_total{{{BOTH}}})")),
    (linter.target_counter_agg, "another function", asks(f"delta(flatline_dead_letters_total{{{BOTH}}}[5m])")),
    (linter.uneditable, "editable", lambda d: d.update(editable=True)),
    (linter.uneditable, "not said", lambda d: d.pop("editable")),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("dashboard", [sound(), *all_dashboards().values()], ids=["sound", *all_dashboards()])
def test_rules_hold(dashboard: Dashboard, rule: Rule) -> None:
    """For every dashboard."""
    assert list(rule(dashboard)) == []


@pytest.mark.parametrize(
    ("rule", "damage"), [(r, d) for r, _, d in BROKEN], ids=[f"{r.__name__}: {n}" for r, n, _ in BROKEN]
)
def test_each_rule_finds_what_breaks_it(rule: Rule, damage: Damage) -> None:
    """And only that rule complains, so that a message names the cause."""
    dashboard = sound()
    damage(dashboard)
    assert {each.__name__ for each in RULES if list(each(dashboard))} == {rule.__name__}


def test_each_rule_is_broken_once() -> None:
    """A rule that nothing breaks proves nothing."""
    assert {rule for rule, _, _ in BROKEN} == set(RULES)
