"""Two teams with a Slack channel each, by the parts in teams.yml."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from flatline.demo.slack_receiver import SlackReceiver
from flatline.local import programs
from tests.deploy.example_parts import merge, write_whole
from tests.deploy.talking import Talk, alert, talking
from tests.deploy.test_alerts import run

TEAMS = ("docs", "stories")
# No hours, and no waiting for others.
AT_ONCE = {"group_wait": "1s", "group_interval": "1s", "active_time_intervals": []}


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Return the project's configuration with the parts in it."""
    return write_whole(tmp_path, "teams.yml")


def test_the_whole_is_valid(whole: Path) -> None:
    """Alertmanager's own tool accepts the file with the parts in it."""
    run(programs.AMTOOL.required(), "check-config", whole)


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"alertname": "ArticleSilent", "series": "Guides", "tier": "1"}, "slack-docs"),
        ({"alertname": "ArticleRevived", "series": "Field notes", "tier": "2"}, "slack-docs"),
        ({"alertname": "ArticleSilent", "series": "Guides", "tier": "3"}, "slack-docs-digest"),
        ({"alertname": "ArticleCooling", "series": "Guides", "tier": "1"}, "slack-docs-digest"),
        ({"alertname": "ArticleCooling", "series": "Interviews", "tier": "1"}, "slack-stories-digest"),
        ({"alertname": "ArticleAlertEnded", "series": "Guides", "tier": "1", "ended": "ArticleSilent"}, "slack-docs"),
        (
            {"alertname": "ArticleAlertEnded", "series": "Interviews", "tier": "1", "ended": "ArticleCooling"},
            "slack-stories-digest",
        ),
        ({"alertname": "ArticleMassLoss", "series": "Interviews", "tier": "3"}, "slack-stories-digest"),
        ({"alertname": "GroupUnderCurve", "series": "Interviews", "kind": "series"}, "slack-stories"),
        ({"alertname": "GroupUnderCurve", "author": "Ada", "kind": "author"}, "slack-articles"),
        ({"alertname": "ArticleSilent", "series": "Guides of others", "tier": "1"}, "slack-articles"),
        ({"alertname": "ArticleSilent", "tier": "1"}, "slack-articles"),
        ({"alertname": "ArticleUnseen", "series": "Guides", "severity": "none"}, "nobody"),
        ({"alertname": "WorkerDown"}, "slack-pipeline"),
    ],
)
def test_alerts_go_to_the_owner(labels: dict[str, str], receiver: str, whole: Path) -> None:
    """A team gets the alerts on its series, and no others; what can wait comes in its own digest."""
    labels = {"severity": "warning"} | labels
    command = ("config", "routes", "test", f"--config.file={whole}", *map("=".join, labels.items()))
    assert run(programs.AMTOOL.required(), *command).strip() == receiver


@pytest.mark.servers
async def test_each_team_reads_its_own_channel(tmp_path: Path) -> None:
    """Alerts of three owners arrive in three channels; a digest has only its team's articles."""
    async with AsyncExitStack() as stack:
        channels = {team: await stack.enter_async_context(SlackReceiver()) for team in TEAMS}

        def change(configuration: dict[str, Any]) -> None:
            merge(configuration, "teams.yml")
            for route in configuration["route"]["routes"][: len(TEAMS)]:
                for each in (route, *route["routes"]):
                    each.update(AT_ONCE)
            for receiver in configuration["receivers"]:
                for config in receiver.get("slack_configs", []):
                    if "api_url_file" in config:
                        team = config["api_url_file"].rpartition("-")[2]
                        webhook = tmp_path / team
                        webhook.write_text(channels[team].url)
                        config["api_url_file"] = str(webhook)

        talk = await stack.enter_async_context(talking(tmp_path, change=change))
        docs, stories = (Talk(talk.address, channels[team]) for team in TEAMS)
        await talk.tell(
            alert("ArticleSilent", "A guide", article="a/1", series="Guides", tier="1"),
            alert("ArticleSilent", "An interview", article="a/2", series="Interviews", tier="2"),
            alert("ArticleSilent", "Of others", article="a/3", series="Essays", tier="1"),
            alert("WorkerDown", "w1", instance="w1"),
        )
        title = "An article of \u2068Guides\u2069 stopped gaining links: \u2068A guide\u2069"
        assert (await docs.received())["title"] == title
        assert (await stories.received())["title"].endswith(": \u2068An interview\u2069")
        assert {(await talk.received())["title"] for _ in range(2)} == {
            "An article of \u2068Essays\u2069 stopped gaining links: \u2068Of others\u2069",
            "A worker went down: \u2068w1\u2069",
        }
        await talk.tell(
            alert("ArticleCooling", "A cool guide", article="a/4", series="Guides", tier="1"),
            alert("ArticleCooling", "A cool interview", article="a/5", series="Interviews", tier="1"),
        )
        for channel, subject in ((docs, "A cool guide"), (stories, "A cool interview")):
            message = await channel.received()
            assert message["title"] == "Daily digest: 1 new. In all, 1 article gained fewer links than usual"
            assert message["text"].count("•") == 1
            assert f"• \u2068{subject}\u2069: " in message["text"]
