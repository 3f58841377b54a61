import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from deploy.local import programs
from streams.domain.hazard import Hazard
from streams.metrics import Gauges, Snapshot, WorkerMetrics
from tests.deploy.alert_rules import DEPLOY, RULE_TESTS, RULES, alerts, rules

ALWAYS_FIRES = "Watchdog"


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


@pytest.mark.parametrize("file", RULE_TESTS, ids=lambda file: file.stem)
def test_rules_fire_and_stay_silent(file: Path) -> None:
    """Prometheus itself replays each case: when an alert fires, with which words, and when it doesn't."""
    run(programs.PROMTOOL.required(), "test", "rules", file)


@pytest.mark.parametrize("alert", alerts())
def test_each_alert_has_a_firing_and_a_silent_case(alert: str) -> None:
    """An alert that was never seen to fire, or never to stay silent, isn't tested."""
    cases = [
        bool(case.get("exp_alerts"))
        for file in RULE_TESTS
        for test in yaml.safe_load(file.read_text())["tests"]
        for case in test.get("alert_rule_test", [])
        if case["alertname"] == alert
    ]
    assert set(cases) == ({True} if alert == ALWAYS_FIRES else {True, False})


def test_alertmanager_accepts_the_configuration() -> None:
    """The file and its templates are valid as they are."""
    said = run(programs.AMTOOL.required(), "check-config", DEPLOY / "alertmanager" / "alertmanager.yml")
    assert " - 1 templates\n  SUCCESS" in said


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("alertname=ArticleSilent series=a", "slack-articles"),
        ("alertname=ArticleRevived", "slack-good-news"),
        ("alertname=ArticleMassLoss", "slack-articles"),
        ("alertname=GroupUnderCurve kind=series", "slack-articles"),
        ("alertname=SourceStale source=a", "slack-pipeline"),
        ("alertname=WorkerDown", "slack-pipeline"),
        ("alertname=WorkerStuck", "slack-pipeline"),
        ("alertname=DeadLetters", "slack-pipeline"),
        ("alertname=Watchdog", "watchdog"),
        ("alertname=SomebodyElses", "slack-pipeline"),
    ],
)
def test_each_alert_has_its_receiver(labels: str, receiver: str) -> None:
    """Articles go to those who write, the pipeline to those who run it; what nobody knows goes to the latter."""
    config = DEPLOY / "alertmanager" / "alertmanager.yml"
    routes = ("config", "routes", "test", f"--config.file={config}", f"--verify.receivers={receiver}")
    run(programs.AMTOOL.required(), *routes, *labels.split())


@pytest.mark.parametrize(("name", "alert"), alerts().items())
def test_each_alert_says_what_slack_shows(name: str, alert: dict[str, Any]) -> None:
    """Words, patience and severity are there; the button leads to a heading; no figure is in a label."""
    annotations = alert["annotations"]
    assert {"summary", "description", "runbook_url"} <= annotations.keys()
    assert ("subject" in annotations) == (name != ALWAYS_FIRES)
    assert ("resolved" in annotations) == (name not in {ALWAYS_FIRES, "ArticleRevived"})
    assert alert["labels"].keys() == {"severity"}
    assert alert["labels"]["severity"] in {"critical", "warning", "info", "none"}
    assert "for" in alert
    assert annotations["runbook_url"].endswith(f"/deploy/RUNBOOK.md#{name.lower()}")


def test_the_runbook_knows_each_alert() -> None:
    """Its headings are the alerts, no more and no fewer."""
    headings = re.findall(r"^## (.+)$", (DEPLOY / "RUNBOOK.md").read_text(), flags=re.MULTILINE)
    assert sorted(headings) == sorted(alerts())


def test_the_horizon_that_is_named_is_the_one_that_is_used() -> None:
    """A probability without its horizon means nothing, with a wrong one it is a lie."""
    named = {
        name: re.findall(r"next (\d+) days", alert["annotations"]["description"]) for name, alert in alerts().items()
    }
    assert {name: days for name, days in named.items() if days} == {
        name: [str(Hazard().horizon_days)] for name in ("ArticleSilent", "ArticleRevived")
    }


def test_rules_name_metrics_that_exist() -> None:
    """A misspelt metric is an alert that never fires."""
    registry = CollectorRegistry()
    WorkerMetrics(registry)
    snapshot = Snapshot(
        tally={},
        watched=[],
        watch_list_left_out=0,
        groups=[],
        freshness={},
        lag={},
        partitions_assigned=0,
        partitions_recovered=0,
        recovery_s=0,
        last_commit_s=None,
        is_stuck=False,
        event_loop_lag_s=0,
        rebalances=0,
    )
    registry.register(Gauges(lambda: snapshot))
    exposed = {family.name + ("_total" if family.type == "counter" else "") for family in registry.collect()}
    text = "\n".join(text for rule in rules() for text in (rule["expr"], *rule.get("annotations", {}).values()))
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    named = set(re.findall(r"[\w:]*\bflatline_[\w:]+", text))
    assert len(named - recorded) > 5
    assert named - recorded <= exposed
