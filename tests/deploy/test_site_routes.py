"""Alertmanager's configuration with routes for site records, looked at by its own tool."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from flatline.demo.slack_receiver import SlackReceiver
from flatline.local import programs
from flatline.local.site_routes import Destination, destinations, with_routes
from flatline.schema.site_record import SiteRecord
from tests.deploy.alert_rules import DEPLOY
from tests.deploy.talking import Talk, alert, talking
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


@pytest.mark.servers
async def test_each_site_is_told_in_its_own_channel(tmp_path: Path) -> None:
    """A real Alertmanager posts alerts on articles and sites to the channels of two owners, and others as before."""
    async with AsyncExitStack() as stack:
        channels = {name: await stack.enter_async_context(SlackReceiver()) for name in ("docs", "stories")}

        def change(configuration: dict[str, Any]) -> None:
            configuration |= with_routes(configuration, destinations(SITES))
            for route in configuration["route"]["routes"]:
                # No hours, and no waiting for others.
                route |= {"group_wait": "1s", "group_interval": "1s", "active_time_intervals": []}
            for receiver in configuration["receivers"]:
                for config in receiver.get("slack_configs", []):
                    if "api_url_file" in config:
                        channel = config["api_url_file"].rpartition("-")[2]
                        (tmp_path / channel).write_text(channels[channel].url)
                        config["api_url_file"] = str(tmp_path / channel)

        talk = await stack.enter_async_context(talking(tmp_path, change=change))
        docs, stories = (Talk(talk.address, receiver) for receiver in channels.values())
        paris = {"channel": "docs", "time_zone": "Europe/Paris"}
        await talk.tell(
            alert("ArticleSilent", "A guide", article="docs.example/1", tier="1", **paris),
            alert("ArticleSilent", "A story", article="stories.example/1", tier="1", channel="stories"),
            alert("ArticleSilent", "Far", article="far.example/1", tier="1", time_zone="Asia/Tokyo"),
            alert("GroupMassLoss", "stories.example", site="stories.example", day="1780272000", channel="stories"),
        )
        assert (await docs.received())["title"].endswith(": \u2068A guide\u2069")
        assert {(await stories.received())["title"].rpartition(": ")[2] for _ in range(2)} == {
            "\u2068A story\u2069",
            "\u2068stories.example\u2069",
        }
        assert (await talk.received())["title"].endswith(": \u2068Far\u2069")
        await talk.tell(alert("ArticleCooling", "A cool guide", article="docs.example/2", tier="1", **paris))
        assert (await docs.received())["title"].startswith("Daily digest: 1 new.")
