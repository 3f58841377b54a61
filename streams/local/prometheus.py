import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from flatline.local import probes, programs
from flatline.local.errors import LaunchError
from flatline.local.pace import Pace
from flatline.local.ports import LOOPBACK, Ports
from flatline.local.processes import Process
from flatline_deploy import DEPLOY

_SOURCE = DEPLOY / "prometheus"
# A scrape each second is as much as a small machine should bear beside everything else.
INTERVAL_FLOOR_MS = 1_000
# Two evaluations: one failed scrape is no alert, at any pace.
_FOR_FLOOR_MS = 2_000
# Ranges bridge what a worker's restart leaves out.
_RANGE_FLOOR_MS = 20_000
# How long a worker may be down, or what a source pushes in a quarter of an hour, is a matter of the wall clock, at any
# pace.
_WALL_CLOCK_RULES = {
    "connectors.yml",
    "disks.yml",
    "events.yml",
    "ingest.yml",
    "load.yml",
    "monitoring.yml",
    "serve.yml",
    "watchdog.yml",
    "workers.yml",
}
# Alerts that were firing when Prometheus stopped, if it was for no longer, fire on when it is back.
_OUTAGE_TOLERANCE = "3h"
# Silences last for months, and the dashboards show them. A worker with 5,000 series fills about 1 GB a month; beyond
# the size the oldest metrics go first.
_RETENTION = "2y"
_RETENTION_SIZE = "20GB"
_SERVICE_DISCOVERY = "http_sd_configs"
_RANGE = re.compile(r"\[(\d+[smhd])(?::(\d+[smhd]))?\]")


class Prometheus:
    """The Prometheus of this machine, with deploy/prometheus/prometheus.yml and its rules, completed.

    Expected of the file: `scrape_configs[]` with a `job_name` each, whose targets are replaced by those of
    ``targets``, and one with `http_sd_configs`, whose URLs are replaced by ``discovery_urls``, or where there are none
    by all other ``targets``; `alerting`, whose Alertmanagers are replaced; `global` with intervals and external labels,
    of which those of ``external_labels`` replace those of the same name. Of each rules/*.yml: `groups[].rules[]`. An
    accelerated ``pace`` shortens intervals, ranges, `for` and `keep_firing_for`.
    """

    def __init__(self, folder: Path, ports: Ports, *, source: Path = _SOURCE) -> None:
        self._folder = folder
        self._source = source
        self.address = f"{LOOPBACK}:{ports.claim('prometheus')}"

    def process(
        self,
        *,
        targets: Mapping[str, Sequence[str]],
        alertmanager: str,
        pace: Pace,
        discovery_urls: Sequence[str] = (),
        external_labels: Mapping[str, str] | None = None,
    ) -> Process:
        """Write its configuration and say how to run it. Raises LaunchError."""
        rules = self._folder / "rules"
        rules.mkdir(parents=True, exist_ok=True)
        for old in rules.glob("*.yml"):
            old.unlink()
        for name, content in rules_at(pace, self._source).items():
            _write(rules / name, content)
        prometheus_yml = self._folder / "prometheus.yml"
        configuration = _completed(
            _read(self._source / "prometheus.yml"),
            targets=targets,
            discovery_urls=discovery_urls,
            alertmanager=alertmanager,
            pace=pace,
        )
        configuration["global"]["external_labels"] |= external_labels or {}
        _write(prometheus_yml, configuration)
        return Process(
            name="prometheus",
            command=[
                programs.PROMETHEUS.required(),
                f"--config.file={prometheus_yml}",
                f"--storage.tsdb.path={self._folder / 'tsdb'}",
                f"--storage.tsdb.retention.time={_RETENTION}",
                f"--storage.tsdb.retention.size={_RETENTION_SIZE}",
                f"--web.listen-address={self.address}",
                f"--web.external-url=http://{self.address}",
                f"--rules.alert.for-outage-tolerance={_OUTAGE_TOLERANCE}",
            ],
            address=self.address,
            is_ready=lambda: probes.answers_ok(self.address, "/-/ready"),
        )


def rules_at(pace: Pace, source: Path = _SOURCE) -> dict[str, dict[str, Any]]:
    """Return the content of each of our rule files, by its name, at a pace."""
    return {
        file.name: _paced_rules(_read(file), Pace() if file.name in _WALL_CLOCK_RULES else pace)
        for file in sorted(source.glob("rules/*.yml"))
    }


def _completed(
    configuration: dict[str, Any],
    *,
    targets: Mapping[str, Sequence[str]],
    discovery_urls: Sequence[str],
    alertmanager: str,
    pace: Pace,
) -> dict[str, Any]:
    scrapes = configuration["scrape_configs"]
    named = [scrape["job_name"] for scrape in scrapes if _SERVICE_DISCOVERY not in scrape]
    unknown = [job for job in named if job not in targets]
    if unknown:
        raise LaunchError(f"prometheus.yml has jobs that nothing on this machine serves: {', '.join(unknown)}.")
    others = {job: addresses for job, addresses in targets.items() if job not in named}
    return {
        **configuration,
        "global": _paced_intervals(configuration.get("global", {}), pace),
        "rule_files": ["rules/*.yml"],
        "alerting": configuration["alerting"] | {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [
            {
                **_paced_intervals(scrape, pace),
                **(
                    _discovered(scrape, others, discovery_urls, pace)
                    if _SERVICE_DISCOVERY in scrape
                    else {"static_configs": [{"targets": list(targets[scrape["job_name"]])}]}
                ),
            }
            for scrape in scrapes
        ],
    }


def _discovered(
    scrape: Mapping[str, Any], targets: Mapping[str, Sequence[str]], urls: Sequence[str], pace: Pace
) -> dict[str, Any]:
    """Return where a scrape configuration finds its targets: at the URLs, or without these in ``targets``."""
    if not urls:
        static = [{"targets": list(addresses), "labels": {"job": job}} for job, addresses in targets.items()]
        return {_SERVICE_DISCOVERY: [], "static_configs": static}
    [discovery, *_] = scrape[_SERVICE_DISCOVERY]
    paced = pace.shortened(discovery, ("refresh_interval",), floor_ms=INTERVAL_FLOOR_MS)
    return {_SERVICE_DISCOVERY: [{**paced, "url": url} for url in urls]}


def _paced_rules(file: dict[str, Any], pace: Pace) -> dict[str, Any]:
    return {
        "groups": [
            {
                **_paced_intervals(group, pace),
                "rules": [
                    _paced_ranges(pace.shortened(rule, ("for", "keep_firing_for"), floor_ms=_FOR_FLOOR_MS), pace)
                    for rule in group["rules"]
                ],
            }
            for group in file["groups"]
        ]
    }


def _paced_ranges(rule: dict[str, Any], pace: Pace) -> dict[str, Any]:
    def shortened(query: str) -> str:
        return _RANGE.sub(paced, query)

    def paced(found: re.Match[str]) -> str:
        step = f":{pace.shorten(found[2], floor_ms=INTERVAL_FLOOR_MS)}" if found[2] else ""
        return f"[{pace.shorten(found[1], floor_ms=_RANGE_FLOOR_MS)}{step}]"

    annotations = {name: shortened(text) for name, text in rule.get("annotations", {}).items()}
    return rule | {"expr": shortened(rule["expr"])} | ({"annotations": annotations} if annotations else {})


def _paced_intervals(section: dict[str, Any], pace: Pace) -> dict[str, Any]:
    keys = ("scrape_interval", "scrape_timeout", "evaluation_interval", "interval")
    return pace.shortened(section, keys, floor_ms=INTERVAL_FLOOR_MS)


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
