from pathlib import Path
from typing import Any

import yaml

from flatline.local import probes, programs
from flatline.local.pace import Pace
from flatline.local.ports import LOOPBACK, Ports
from flatline.local.processes import Process
from flatline_deploy import DEPLOY

_SOURCE = DEPLOY / "alertmanager"
_FLOOR_MS = 1_000
_HOURS = "active_time_intervals"
_DIGEST = "digest"
DIGEST_MS = 20_000
"""A digest a day would be one a second, and nobody could read them."""


class Alertmanager:
    """The Alertmanager of this machine, with deploy/alertmanager/alertmanager.yml, completed.

    Expected of the file: `route`, with routes in it, and `receivers[]` that send to Slack by `slack_configs` with the
    global webhook. Without a webhook nothing is sent anywhere: alerts stay in Alertmanager. An accelerated ``pace``
    shortens `group_wait` and `group_interval`; `repeat_interval` is about people's attention and stays. Its clock has
    no hours for people, so routes don't wait for these; what would wait for that of the time interval `digest` is told
    every DIGEST_MS.
    """

    def __init__(self, folder: Path, ports: Ports, *, source: Path = _SOURCE) -> None:
        self._folder = folder
        self._source = source
        self.address = f"{LOOPBACK}:{ports.claim('alertmanager')}"

    def process(self, *, slack_webhook_url_file: Path | None, pace: Pace) -> Process:
        """Write its configuration and say how to run it. Raises LaunchError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = yaml.safe_load((self._source / "alertmanager.yml").read_text())
        completed = self._completed(configuration, slack_webhook_url_file, pace)
        alertmanager_yml = self._folder / "alertmanager.yml"
        alertmanager_yml.write_text(yaml.safe_dump(completed, sort_keys=False, allow_unicode=True))
        return Process(
            name="alertmanager",
            command=[
                programs.ALERTMANAGER.required(),
                f"--config.file={alertmanager_yml}",
                f"--storage.path={self._folder / 'storage'}",
                f"--web.listen-address={self.address}",
                f"--web.external-url=http://{self.address}",
                "--cluster.listen-address=",
                # Longer than any repeat_interval: what it forgets having sent it sends again.
                "--data.retention=1500h",
            ],
            address=self.address,
            is_ready=lambda: probes.answers_ok(self.address, "/-/ready"),
        )

    def _completed(
        self, configuration: dict[str, Any], slack_webhook_url_file: Path | None, pace: Pace
    ) -> dict[str, Any]:
        given = {
            name: setting
            for name, setting in configuration.get("global", {}).items()
            if name not in ("slack_api_url", "slack_api_url_file")
        }
        webhook = {"slack_api_url_file": str(slack_webhook_url_file.resolve())} if slack_webhook_url_file else {}
        silenced = () if slack_webhook_url_file else ("slack_configs",)
        return {
            **configuration,
            "global": given | webhook,
            "templates": [f"{self._source}/slack/*.tmpl"],
            "route": _paced_route(configuration["route"], pace),
            "receivers": [
                {name: setting for name, setting in receiver.items() if name not in silenced}
                for receiver in configuration["receivers"]
            ],
        }


def _paced_route(route: dict[str, Any], pace: Pace) -> dict[str, Any]:
    hours = route.get(_HOURS, [])
    floor_ms = DIGEST_MS if _DIGEST in hours else _FLOOR_MS
    shortened = pace.shortened(route, ("group_wait", "group_interval"), floor_ms=floor_ms)
    routes = {"routes": [_paced_route(child, pace) for child in route["routes"]]} if "routes" in route else {}
    kept = {name: setting for name, setting in shortened.items() if name != _HOURS or pace.is_real}
    return kept | routes
