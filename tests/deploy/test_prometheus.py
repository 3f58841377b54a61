import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local import programs, prometheus
from deploy.local.errors import LaunchError
from deploy.local.pace import Pace, duration_ms
from deploy.local.ports import Ports
from deploy.local.prometheus import Prometheus

SOURCE = Path(prometheus.__file__).parents[1] / "prometheus"
RANGE = re.compile(r"\[\d+(?:ms|[smhd])\]")
TARGETS = {"flatline-worker": ["127.0.0.1:1001", "127.0.0.1:1002"], "flatline-ingest": ["127.0.0.1:1003"]}


def written(folder: Path, pace: Pace) -> dict[str, Any]:
    """Return the configuration that Prometheus would be started with, after its own tool has found it good."""
    server = Prometheus(folder, Ports(folder / "ports.json"))
    process = server.process(targets=TARGETS, alertmanager="127.0.0.1:1004", pace=pace)
    assert f"--web.listen-address={server.address}" in process.command
    promtool = programs.PROMTOOL.required()
    subprocess.run([promtool, "check", "config", str(folder / "prometheus.yml")], check=True)
    configuration: dict[str, Any] = yaml.safe_load((folder / "prometheus.yml").read_text())
    return configuration


def alerts(folder: Path) -> dict[str, dict[str, Any]]:
    """Return all alert rules under a folder, by name."""
    groups = [group for file in folder.glob("rules/*.yml") for group in yaml.safe_load(file.read_text())["groups"]]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def without_durations(rule: dict[str, Any]) -> str:
    """Return a rule as text, without its `for` and without the length of the ranges in its queries."""
    return RANGE.sub("[]", str({**rule, "for": None}))


def test_targets_are_those_of_this_machine(tmp_path: Path) -> None:
    """Each job scrapes what runs here, and alerts go to the Alertmanager that runs here."""
    configuration = written(tmp_path, Pace())
    scraped = {scrape["job_name"]: scrape["static_configs"][0]["targets"] for scrape in configuration["scrape_configs"]}
    assert scraped == TARGETS
    assert configuration["alerting"]["alertmanagers"] == [{"static_configs": [{"targets": ["127.0.0.1:1004"]}]}]


def test_at_pace_one_the_rules_are_productions(tmp_path: Path) -> None:
    """Nothing but addresses differs between this machine and production."""
    configuration = written(tmp_path, Pace())
    assert alerts(tmp_path) == alerts(SOURCE)
    assert configuration["global"] == yaml.safe_load((SOURCE / "prometheus.yml").read_text())["global"]


def test_an_accelerated_clock_shortens_waiting_and_nothing_else(tmp_path: Path) -> None:
    """When a day takes a second, a quarter of an hour of `for` takes as little as two evaluations allow."""
    configuration = written(tmp_path, Pace(86_400))
    assert duration_ms(configuration["global"]["scrape_interval"]) == 1000
    before, after = alerts(SOURCE), alerts(tmp_path)
    assert before.keys() == after.keys()
    for name, rule in before.items():
        assert without_durations(after[name]) == without_durations(rule)
        if name.startswith(("Article", "Group", "Source")):
            assert duration_ms(after[name]["for"]) == min(duration_ms(rule["for"]), 2000)
        else:  # of workers, whose minutes are the wall clock's
            assert after[name] == rule
    assert set(RANGE.findall((tmp_path / "rules" / "articles.yml").read_text())) == {"[20000ms]"}


def test_rules_of_an_earlier_version_are_forgotten(tmp_path: Path) -> None:
    """A rule file that the project no longer has doesn't live on in the data folder."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "old.yml").write_text("groups: []")
    written(tmp_path, Pace())
    assert {file.name for file in tmp_path.glob("rules/*")} == {file.name for file in SOURCE.glob("rules/*.yml")}


def test_job_without_a_target_here_is_refused(tmp_path: Path) -> None:
    """Whoever adds a job to prometheus.yml learns that this machine has to serve it."""
    server = Prometheus(tmp_path, Ports(tmp_path / "ports.json"))
    with pytest.raises(LaunchError, match="flatline-ingest"):
        server.process(targets={"flatline-worker": []}, alertmanager="127.0.0.1:1", pace=Pace())
