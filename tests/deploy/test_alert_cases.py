"""The cases in deploy/prometheus/tests, replayed by Prometheus' own tool, and what there has to be for each alert.

The name of a case says what it shows: "ArticleSilent fires: …", "ArticleSilent almost: …", "ArticleSilent gap: …".
"""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from flatline.local import programs
from tests.deploy.alert_rules import RULE_TESTS, alerts

ALWAYS_FIRES = "Watchdog"
CASES = [case for file in RULE_TESTS for case in yaml.safe_load(file.read_text())["tests"]]


def cases(alert: str, kind: str) -> list[dict[str, Any]]:
    """Return the cases that show one kind of thing of an alert."""
    return [case for case in CASES if case["name"].startswith(f"{alert} {kind}: ")]


def checked(case: dict[str, Any], alert: str) -> list[bool]:
    """Return for each moment at which a case looks at an alert whether it is expected to fire."""
    return [bool(test.get("exp_alerts")) for test in case.get("alert_rule_test", []) if test["alertname"] == alert]


@pytest.mark.long
@pytest.mark.parametrize("file", RULE_TESTS, ids=lambda file: file.stem)
def test_rules_fire_and_stay_silent(file: Path) -> None:
    """Prometheus itself replays each case: when an alert fires, with which words, and when it doesn't."""
    command = [programs.PROMTOOL.required(), "test", "rules", str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_case_says_what_it_shows() -> None:
    """A case that is misnamed would count for nothing."""
    for case in CASES:
        named = re.match(r"(\w+) (fires|almost|gap): .", case["name"])
        assert named, case["name"]
        assert named[1] in alerts()


@pytest.mark.parametrize("alert", alerts())
def test_each_alert_was_seen_to_fire(alert: str) -> None:
    """With its labels and all of its words."""
    seen = [
        expected["exp_annotations"].keys()
        for case in cases(alert, "fires")
        for test in case.get("alert_rule_test", [])
        if test["alertname"] == alert
        for expected in test.get("exp_alerts", [])
    ]
    assert seen
    assert all(annotations == alerts()[alert]["annotations"].keys() for annotations in seen)


@pytest.mark.parametrize("alert", sorted(alerts().keys() - {ALWAYS_FIRES}))
def test_each_alert_was_seen_not_to_fire(alert: str) -> None:
    """Where it nearly did: nothing that the case looks at is an alert."""
    almost = cases(alert, "almost")
    assert almost
    for case in almost:
        assert checked(case, alert)
        assert not any(checked(case, alert))


@pytest.mark.parametrize("alert", sorted(alerts().keys() - {ALWAYS_FIRES}))
def test_each_alert_was_seen_over_a_gap(alert: str) -> None:
    """Scrapes are missing, and how often it fires, or that it doesn't, is counted all along."""
    gaps = cases(alert, "gap")
    assert gaps
    for case in gaps:
        assert any("_x" in series["values"] for series in case["input_series"])
        assert any("ALERTS" in test["expr"] and alert in test["expr"] for test in case["promql_expr_test"])
