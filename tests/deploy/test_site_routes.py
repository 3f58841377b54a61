"""Alertmanager's configuration with routes for site records, looked at by its own tool."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from flatline.local import programs
from flatline.local.site_routes import Destination, destinations, with_routes
from flatline.schema.site_record import SiteRecord
from tests.deploy.alert_rules import DEPLOY
from tests.deploy.test_alerts import run

SITES = [
    SiteRecord("docs.example", channel="docs", time_zone="Europe/Paris"),
    SiteRecord("guides.example", channel="docs", time_zone="Europe/Paris", owner="Somebody else"),
    SiteRecord("stories.example", channel="stories"),
    SiteRecord("far.example", time_zone="Asia/Tokyo"),
    SiteRecord("usual.example", owner="Docs"),
    SiteRecord("peer.example", role="peer", channel="peers"),
]


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    """Return the project's configuration with the routes in it."""
    return with_routes(yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text()), destinations(SITES))


@pytest.fixture(scope="module")
def file(whole: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of it."""
    file = tmp_path_factory.mktemp("routes") / "alertmanager.yml"
    file.write_text(yaml.safe_dump(whole | {"templates": [f"{DEPLOY}/alertmanager/slack/*.tmpl"]}))
    return file


def test_the_whole_is_valid(file: Path) -> None:
    """Alertmanager's own tool accepts it; peers and sites that say nothing have no routes."""
    run(programs.AMTOOL.required(), "check-config", file)
    assert destinations(SITES) == [
        Destination("", "Asia/Tokyo"),
        Destination("docs", "Europe/Paris"),
        Destination("stories", ""),
    ]


@pytest.mark.parametrize(
    ("labels", "receiver", "hours"),
    [
        ({"alertname": "ArticleSilent", "tier": "1"}, "slack-articles-docs", "daytime-Europe/Paris"),
        ({"alertname": "ArticleSilent", "tier": "3"}, "slack-digest-docs", "digest-Europe/Paris"),
        ({"alertname": "ArticleCooling", "tier": "1"}, "slack-digest-docs", "digest-Europe/Paris"),
        ({"alertname": "ArticleRevived", "tier": "1"}, "slack-good-news-docs", "daytime-Europe/Paris"),
        ({"alertname": "GroupUnderCurve"}, "slack-articles-docs", "daytime-Europe/Paris"),
        ({"alertname": "ArticleSilent", "tier": "1", "time_zone": ""}, "slack-articles", "daytime"),
        ({"alertname": "GroupUnderCurve", "channel": "stories", "time_zone": ""}, "slack-articles-stories", "daytime"),
        (
            {"alertname": "ArticleCooling", "channel": "", "time_zone": "Asia/Tokyo"},
            "slack-digest",
            "digest-Asia/Tokyo",
        ),
        ({"alertname": "ArticleUnseen", "severity": "none"}, "nobody", None),
        ({"alertname": "WorkerDown"}, "slack-pipeline", None),
    ],
)
def test_alerts_go_to_the_channel_in_its_hours(
    labels: dict[str, str], receiver: str, hours: str | None, file: Path, whole: dict[str, Any]
) -> None:
    """By both labels: what has neither goes where it always went."""
    labels = {"severity": "warning", "channel": "docs", "time_zone": "Europe/Paris"} | labels
    command = ("config", "routes", "test", f"--config.file={file}", *map("=".join, labels.items()))
    assert run(programs.AMTOOL.required(), *command).strip() == receiver
    if hours is not None:
        routes = [route for route in whole["route"]["routes"] if route["receiver"] == receiver]
        assert {name for route in routes for name in route["active_time_intervals"]} >= {hours}


def test_hours_are_by_the_clock_of_the_zone(whole: dict[str, Any]) -> None:
    """Each interval is there once more for each zone, and differs in nothing else."""
    intervals = {each["name"]: each["time_intervals"] for each in whole["time_intervals"]}
    zones = ("Europe/Paris", "Asia/Tokyo")
    assert intervals.keys() == {"daytime", "digest", *(f"{n}-{zone}" for n in ("daytime", "digest") for zone in zones)}
    for name in ("daytime", "digest"):
        for zone in zones:
            assert intervals[f"{name}-{zone}"] == [each | {"location": zone} for each in intervals[name]]


def test_a_channel_has_a_webhook_of_its_own(whole: dict[str, Any]) -> None:
    """Everything else about its receivers is as it was."""
    receivers = {each["name"]: each for each in whole["receivers"]}
    for channel in ("docs", "stories"):
        for name in ("slack-articles", "slack-digest", "slack-good-news"):
            [config], [usual] = receivers[f"{name}-{channel}"]["slack_configs"], receivers[name]["slack_configs"]
            assert config == usual | {"api_url_file": f"/etc/flatline/slack-webhook-url-{channel}"}
    assert not any("peers" in name for name in receivers)
