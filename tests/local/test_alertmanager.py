import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from flatline.local import programs
from flatline.local.alertmanager import DIGEST_MS, Alertmanager
from flatline.local.pace import Pace, duration_ms
from flatline.local.ports import Ports
from flatline_deploy import DEPLOY

SOURCE = DEPLOY / "alertmanager" / "alertmanager.yml"


def written(folder: Path, webhook: Path | None, pace: Pace) -> dict[str, Any]:
    """Return the configuration that Alertmanager would be started with, after its own tool has found it good."""
    server = Alertmanager(folder, Ports(folder / "ports.json"))
    process = server.process(slack_webhook_url_file=webhook, pace=pace)
    assert f"--web.listen-address={server.address}" in process.command
    file = folder / "alertmanager.yml"
    subprocess.run([programs.AMTOOL.required(), "check-config", str(file)], check=True)
    configuration: dict[str, Any] = yaml.safe_load(file.read_text())
    return configuration


def routes(route: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return a route and all below it."""
    yield route
    for child in route.get("routes", []):
        yield from routes(child)


def test_webhook_is_the_configured_one(tmp_path: Path) -> None:
    """Every Slack receiver posts to the URL in the file that the settings name; the rest is production's."""
    webhook = tmp_path / "webhook"
    webhook.write_text("http://127.0.0.1:1/")
    configuration = written(tmp_path, webhook, Pace())
    original = yaml.safe_load(SOURCE.read_text())
    assert configuration["global"]["slack_api_url_file"] == str(webhook)
    assert configuration["receivers"] == original["receivers"]
    assert configuration["route"] == original["route"]


def test_without_a_webhook_nothing_is_sent(tmp_path: Path) -> None:
    """A first `flatline up` needs no Slack: the same receivers, none of which sends anything."""
    configuration = written(tmp_path, None, Pace())
    names = [receiver["name"] for receiver in yaml.safe_load(SOURCE.read_text())["receivers"]]
    assert configuration["receivers"] == [{"name": name} for name in names]


def test_an_accelerated_clock_shortens_grouping_and_not_repetition(tmp_path: Path) -> None:
    """Groups form within seconds, digests can be read; reminding people is paced by people, who have no hours here."""
    before = list(routes(yaml.safe_load(SOURCE.read_text())["route"]))
    after = list(routes(written(tmp_path, None, Pace(86_400))["route"]))
    assert any("group_wait" in route for route in after[1:])
    for was, now in zip(before, after, strict=True):
        is_digest = was.get("active_time_intervals") == ["digest"]
        for name in ("group_wait", "group_interval"):
            assert name not in was or duration_ms(now[name]) == (DIGEST_MS if is_digest else 1000)
        assert "active_time_intervals" not in now
        assert now.get("repeat_interval") == was.get("repeat_interval")
