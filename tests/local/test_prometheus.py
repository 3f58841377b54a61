import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from flatline.local import programs
from flatline.local.errors import LaunchError
from flatline.local.pace import Pace, duration_ms
from flatline.local.ports import Ports
from flatline.local.prometheus import Prometheus
from flatline.settings import Settings
from flatline_deploy import DEPLOY

SOURCE = DEPLOY / "prometheus"
DURATIONS = ("for", "keep_firing_for")
RANGE = re.compile(r"\[\d+(?:ms|[smhd])(?::\d+(?:ms|[smhd]))?\]")
TARGETS = {
    "flatline-worker": ["127.0.0.1:1001", "127.0.0.1:1002"],
    "flatline-ingest": ["127.0.0.1:1003"],
    "prometheus": ["127.0.0.1:1005"],
    "alertmanager": ["127.0.0.1:1004"],
}
# What days of articles and sources decide; all else is about processes, whose minutes are the wall clock's.
PACED = {"articles.yml", "findings.yml", "groups.yml", "publishers.yml", "sources.yml"}


URLS = ["http://127.0.0.1:1001/discovery", "http://127.0.0.1:1003/discovery"]


def written(
    folder: Path, pace: Pace, *, external_labels: dict[str, str] | None = None, discovery_urls: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the configuration that Prometheus would be started with, after its own tool has found it good."""
    server = Prometheus(folder, Ports(folder / "ports.json"))
    process = server.process(
        targets=TARGETS,
        alertmanager="127.0.0.1:1004",
        pace=pace,
        external_labels=external_labels,
        discovery_urls=discovery_urls,
    )
    assert f"--web.listen-address={server.address}" in process.command
    assert {"--storage.tsdb.retention.time=2y", "--storage.tsdb.retention.size=20GB"} <= set(process.command)
    promtool = programs.PROMTOOL.required()
    subprocess.run([promtool, "check", "config", str(folder / "prometheus.yml")], check=True)
    configuration: dict[str, Any] = yaml.safe_load((folder / "prometheus.yml").read_text())
    return configuration


def rules(file: Path) -> list[dict[str, Any]]:
    """Return all rules of a file."""
    return [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def without_durations(rule: dict[str, Any]) -> str:
    """Return a rule as text, without what it waits for and without the length of the ranges in its queries."""
    return RANGE.sub("[]", str({name: value for name, value in rule.items() if name not in DURATIONS}))


def test_targets_are_those_of_this_machine(tmp_path: Path) -> None:
    """Each job scrapes what runs here, and alerts go to the Alertmanager that runs here."""
    configuration = written(tmp_path, Pace())
    scraped = {
        static.get("labels", {}).get("job", scrape["job_name"]): static["targets"]
        for scrape in configuration["scrape_configs"]
        for static in scrape["static_configs"]
    }
    assert scraped == TARGETS
    assert configuration["alerting"]["alertmanagers"] == [{"static_configs": [{"targets": ["127.0.0.1:1004"]}]}]


def test_whoever_announces_itself_is_asked_for(tmp_path: Path) -> None:
    """All that can answer are asked, as often as the file says; at an accelerated pace each second."""
    configured = written(tmp_path, Pace(), discovery_urls=URLS)["scrape_configs"][0]
    assert "static_configs" not in configured
    assert configured["http_sd_configs"] == [{"url": url, "refresh_interval": "15s"} for url in URLS]
    paced = written(tmp_path, Pace(86_400), discovery_urls=URLS)["scrape_configs"][0]
    assert paced["http_sd_configs"] == [{"url": url, "refresh_interval": "1000ms"} for url in URLS]


def test_addresses_are_known_to_links_and_no_part_of_alerts(tmp_path: Path) -> None:
    """Settings replace the file's; they are dropped again, or moving Grafana would end all alerts and begin others."""
    moved = {"grafana_url": "https://grafana.example/g", "page_url": "https://links.example"}
    here, elsewhere = written(tmp_path, Pace()), written(tmp_path, Pace(), external_labels=moved)
    assert here["global"]["external_labels"] == {name: getattr(Settings(), name) for name in moved}
    assert elsewhere["global"]["external_labels"] == moved
    assert elsewhere["alerting"]["alert_relabel_configs"] == [{"action": "labeldrop", "regex": "grafana_url|page_url"}]


def test_at_pace_one_the_rules_are_productions(tmp_path: Path) -> None:
    """Nothing but addresses differs between this machine and production."""
    configuration = written(tmp_path, Pace())
    for file in SOURCE.glob("rules/*.yml"):
        assert rules(tmp_path / "rules" / file.name) == rules(file)
    assert configuration["global"] == yaml.safe_load((SOURCE / "prometheus.yml").read_text())["global"]


def test_an_accelerated_clock_shortens_waiting_and_nothing_else(tmp_path: Path) -> None:
    """When a day takes a second, a quarter of an hour of waiting takes as little as two evaluations allow."""
    configuration = written(tmp_path, Pace(86_400))
    assert duration_ms(configuration["global"]["scrape_interval"]) == 1000
    for file in SOURCE.glob("rules/*.yml"):
        before, after = rules(file), rules(tmp_path / "rules" / file.name)
        if file.name not in PACED:
            assert after == before
            continue
        for rule, paced in zip(before, after, strict=True):
            assert without_durations(paced) == without_durations(rule)
            for name in rule.keys() & DURATIONS:
                assert duration_ms(paced[name]) == min(duration_ms(rule[name]), 2000)
        ranges = set(RANGE.findall((tmp_path / "rules" / file.name).read_text()))
        assert ("[20000ms]" in ranges) == bool(RANGE.search(file.read_text()))
        assert ranges <= {"[20000ms]", "[20000ms:1000ms]"}


def test_rules_of_an_earlier_version_are_forgotten(tmp_path: Path) -> None:
    """A rule file that the project no longer has doesn't live on in the data folder."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "old.yml").write_text("groups: []")
    written(tmp_path, Pace())
    assert {file.name for file in tmp_path.glob("rules/*")} == {file.name for file in SOURCE.glob("rules/*.yml")}


def test_job_without_a_target_here_is_refused(tmp_path: Path) -> None:
    """Whoever adds a job to prometheus.yml learns that this machine has to serve it."""
    server = Prometheus(tmp_path, Ports(tmp_path / "ports.json"))
    with pytest.raises(LaunchError, match="serves: prometheus, alertmanager"):
        server.process(targets={"flatline-worker": []}, alertmanager="127.0.0.1:1", pace=Pace())
