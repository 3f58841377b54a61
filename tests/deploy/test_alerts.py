import re
import subprocess
from itertools import pairwise
from typing import Any

import pytest

from flatline.domain.learned.hazard import Hazard
from flatline.local import programs
from flatline.local.pace import duration_ms
from tests.deploy.alert_rules import DEPLOY, RULES, alerts, rules
from tests.metrics.expositions import connect_exposition, ingest_exposition, serve_exposition, worker_exposition

ALWAYS_FIRES = "Watchdog"
BEGAN_ON_A_DAY = {
    "ArticleSilent",
    "ArticleCooling",
    "ArticleRevived",
    "ArticleMassLoss",
    "ArticleQualityGone",
    "GroupUnderCurve",
    "GroupMassLoss",
}
DASHBOARDS = {f"flatline-{name}" for name in ("portfolio", "article", "cohorts", "sources", "pipeline")}


def run(*command: object) -> str:
    """Return what a tool says. What it complains of fails the test."""
    done = subprocess.run([str(part) for part in command], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_accepts_the_configuration() -> None:
    """The file and all rules are valid as they are, duplicates of rules included."""
    config = DEPLOY / "prometheus" / "prometheus.yml"
    said = run(programs.PROMTOOL.required(), "check", "config", "--lint=all", "--lint-fatal", config)
    assert all(f"{file}\n  SUCCESS" in said for file in RULES)


@pytest.mark.parametrize(("name", "alert"), alerts().items())
def test_each_alert_says_what_slack_shows(name: str, alert: dict[str, Any]) -> None:
    """Words and severity are there; buttons lead to the runbook, a dashboard and the article; no figure is a label."""
    annotations = alert["annotations"]
    expected = {"summary", "description", "runbook_url", "dashboard_url"}
    if name != ALWAYS_FIRES:
        expected |= {"subject", "resolved"}
    if name.startswith(("Article", "Publisher")):
        expected |= {"page_url"}
    if name in BEGAN_ON_A_DAY:
        expected |= {"since"}
    assert annotations.keys() == expected
    assert alert["labels"].keys() == {"severity"}
    assert alert["labels"]["severity"] in {"critical", "warning", "info", "none"}
    assert annotations["runbook_url"] == f"{{{{ $externalLabels.page_url }}}}/runbook#{name.lower()}"
    dashboard = re.fullmatch(r"\{\{ \$externalLabels\.grafana_url \}\}/d/([\w-]+)(\?.+)?", annotations["dashboard_url"])
    assert dashboard is not None
    assert dashboard[1] in DASHBOARDS


@pytest.mark.parametrize(("name", "alert"), alerts().items())
def test_patience_survives_a_restart_of_prometheus(name: str, alert: dict[str, Any]) -> None:
    """What fires when Prometheus stops fires on, before Alertmanager gives it up four minutes after the last word.

    Prometheus remembers over a restart since when an alert waits, but only where `for` is ten minutes or more; what
    waits for less begins anew, and has to be done within the four minutes.
    """
    assert duration_ms(alert["for"]) <= duration_ms("2m") or duration_ms(alert["for"]) >= duration_ms("10m"), name


def test_patience_has_a_reason() -> None:
    """Each `for` has a comment above it that says why it is as long, or as short."""
    lines = [line.strip() for file in RULES for line in file.read_text().splitlines()]
    reasons = [before for before, line in pairwise(lines) if line.startswith("for:")]
    assert len(reasons) == len(alerts())
    assert all(reason.startswith("# ") for reason in reasons)


def test_records_are_named_by_level_metric_and_operations() -> None:
    """As Prometheus advises: what labels are left, what was recorded, what was done to it last."""
    records = [rule["record"] for rule in rules() if "record" in rule]
    assert len(records) == len(set(records)) > 10
    for record in records:
        assert re.fullmatch(r"[a-z_]+:flatline_[a-z_]+:[a-z0-9_]+", record)


def test_the_horizon_that_is_named_is_the_one_that_is_used() -> None:
    """A probability without its horizon means nothing, with a wrong one it is a lie."""
    named = {
        name: re.findall(r"next (\d+) days", alert["annotations"]["description"]) for name, alert in alerts().items()
    }
    assert {name: days for name, days in named.items() if days} == {
        name: [str(Hazard().horizon_days)] for name in ("ArticleSilent", "ArticleCooling", "ArticleRevived")
    }


def test_rules_name_metrics_that_exist() -> None:
    """A misspelt metric is an alert that never fires."""
    expositions = (worker_exposition(), ingest_exposition(), connect_exposition(), serve_exposition())
    exposed = set(re.findall(r"(?m)^(\w+)(?:\{| )", "".join(expositions)))
    text = "\n".join(text for rule in rules() for text in (rule["expr"], *rule.get("annotations", {}).values()))
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    named = set(re.findall(r"[\w:]*\bflatline_\w+:?\w*|process_\w+", text))
    assert len(named - recorded) > 20
    assert named - recorded <= exposed
