"""Who is notified of what, when, and what keeps whom from speaking."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from flatline.local import programs
from flatline.local.pace import Pace
from tests.deploy.alert_rules import DEPLOY, alerts
from tests.deploy.talking import Talk, alert, talking
from tests.deploy.test_alerts import run
from tests.waiting import until

FILE = DEPLOY / "alertmanager" / "alertmanager.yml"
ROUTES = {
    "ArticleSilent": "slack-articles",
    "ArticleCooling": "slack-digest",
    "ArticleRevived": "slack-good-news",
    "ArticleQualityGone": "slack-articles",
    "ArticleMassLoss": "slack-articles",
    "ArticleUnseen": "nobody",
    "ArticleAlertEnded": "slack-articles",
    "GroupAlertEnded": "slack-articles",
    "GroupUnderCurve": "slack-articles",
    "GroupMassLoss": "slack-articles",
    "GroupUnseen": "nobody",
    "PublisherTurnedNofollow": "slack-articles",
    "SourceStale": "slack-pipeline",
    "SourceRejecting": "slack-pipeline",
    "ConsumerLagGrowing": "slack-pipeline",
    "PartitionsUnattended": "slack-pipeline",
    "WorkInterrupted": "nobody",
    "PushUnavailable": "nobody",
    "NotificationsFailing": "slack-pipeline",
    "RulesFailing": "slack-pipeline",
    "ConfigurationRejected": "slack-pipeline",
    "DiskFilling": "slack-pipeline",
    "WorkerDown": "slack-pipeline",
    "WorkerStuck": "slack-pipeline",
    "CommitsFailing": "slack-pipeline",
    "IngestDown": "slack-pipeline",
    "IngestErrors": "slack-pipeline",
    "DeadLetters": "slack-pipeline",
    "ClockSkew": "slack-pipeline",
    "ConnectDown": "slack-pipeline",
    "ConnectorFailing": "slack-pipeline",
    "ConnectorOutOfBudget": "slack-pipeline",
    "ServeDown": "slack-pipeline",
    "ServeBehind": "slack-pipeline",
    "ServeRebuilding": "slack-pipeline",
    "WatchListOverflow": "slack-digest",
    "Watchdog": "watchdog",
}


def route(**labels: str) -> str:
    """Return the receiver of an alert, as Alertmanager's own tool finds it."""
    said = run(
        programs.AMTOOL.required(), "config", "routes", "test", f"--config.file={FILE}", *map("=".join, labels.items())
    )
    return said.strip()


def test_alertmanager_accepts_the_configuration() -> None:
    """The file and its templates are valid as they are."""
    assert " - 1 templates\n  SUCCESS" in run(programs.AMTOOL.required(), "check-config", FILE)


def test_each_alert_is_routed() -> None:
    """Articles go to those who write, the pipeline to those who run it, helpers to nobody; nobody is forgotten."""
    assert ROUTES.keys() == alerts().keys()
    labels = {name: rule["labels"] for name, rule in alerts().items()}
    assert {name: route(alertname=name, tier="1", **labels[name]) for name in ROUTES} == ROUTES
    assert route(alertname="SomebodyElses") == "slack-pipeline"


@pytest.mark.parametrize(("tier", "receiver"), [("1", "articles"), ("2", "articles"), ("3", "digest"), ("", "digest")])
@pytest.mark.parametrize("name", ["ArticleSilent", "ArticleMassLoss", "ArticleQualityGone", "ArticleAlertEnded"])
def test_low_tiers_wait_for_the_digest(name: str, tier: str, receiver: str) -> None:
    """So do articles that nobody registered."""
    labels = {"tier": tier} if tier else {}
    assert route(alertname=name, severity="warning", **labels) == f"slack-{receiver}"


def test_the_end_is_told_where_the_beginning_was() -> None:
    """An article of tier 1 that cools is in the digest; so is its end."""
    labels = {"alertname": "ArticleAlertEnded", "severity": "info", "tier": "1"}
    assert route(**labels, ended="ArticleSilent") == "slack-articles"
    assert route(**labels, ended="ArticleCooling") == "slack-digest"


async def chain(talk: Talk, cause: dict[str, Any], helper: dict[str, Any], *silenced: dict[str, Any]) -> None:
    """Tell a cause and what follows; only the cause is heard, and when its helper ends, though it goes on, all else."""
    await talk.tell(helper, cause)
    assert (await talk.received())["title"].startswith(cause["annotations"]["summary"])
    await talk.tell(*silenced)
    witness = alert("DeadLetters", "not_json in t", topic="t", reason="not_json")
    await talk.tell(witness)
    assert (await talk.received())["title"].startswith("Records could not be read")
    await talk.tell({**helper, "endsAt": datetime.now(UTC).isoformat()})
    received = [(await talk.received())["title"] for _ in {each["labels"]["alertname"] for each in silenced}]
    assert not any(title.startswith("Resolved") for title in received)


@pytest.mark.servers
@pytest.mark.parametrize("name", ["WorkerDown", "WorkerStuck", "CommitsFailing"])
async def test_the_pipeline_speaks_before_sources_groups_and_articles(name: str, tmp_path: Path) -> None:
    """While some work isn't done nothing is said of what can't be seen; when others do it, it is said."""
    async with talking(tmp_path) as talk:
        await chain(
            talk,
            alert(name, "w1", instance="w1", job="flatline-worker"),
            alert("WorkInterrupted", "flatline-worker", job="flatline-worker"),
            alert("ArticleSilent", "T", article="a/b", tier="1"),
            alert("GroupUnderCurve", "S (series)", kind="series", group="S", series="S"),
            alert("SourceStale", "feeds", source="feeds"),
            alert("ConsumerLagGrowing", "links", topic="links"),
        )


@pytest.mark.servers
async def test_partitions_without_a_worker_are_told_when_nothing_else_explains_them(tmp_path: Path) -> None:
    """A worker that is down does; what a source sends in vain has nothing to do with it."""
    async with talking(tmp_path) as talk:
        down = alert("WorkerDown", "w1", instance="w1", job="flatline-worker")
        await talk.tell(down)
        await talk.received()
        await talk.tell(
            alert("PartitionsUnattended", "flatline-worker", job="flatline-worker"),
            alert("SourceRejecting", "feeds", source="feeds"),
        )
        assert (await talk.received())["title"] == "A source sent many invalid events: \u2068feeds\u2069"
        await talk.tell({**down, "endsAt": datetime.now(UTC).isoformat()})
        assert {(await talk.received())["title"] for _ in range(2)} == {
            "Resolved: A worker went down: \u2068w1\u2069",
            "Some partitions have no working worker: \u2068flatline-worker\u2069",
        }


@pytest.mark.servers
async def test_a_worker_has_one_trouble_at_a_time(tmp_path: Path) -> None:
    """One that is down is neither stuck nor unable to commit; another one may be."""
    async with talking(tmp_path) as talk:
        await talk.tell(alert("WorkerDown", "w1", instance="w1"))
        assert (await talk.received())["title"] == "A worker went down: \u2068w1\u2069"
        await talk.tell(
            alert("WorkerStuck", "w1", instance="w1"),
            alert("CommitsFailing", "w1", instance="w1"),
            alert("CommitsFailing", "w2", instance="w2"),
        )
        assert (await talk.received())["title"].endswith(": \u2068w2\u2069")
        with pytest.raises(TimeoutError):
            await talk.received(within_s=3)


@pytest.mark.servers
@pytest.mark.parametrize("name", ["IngestDown", "IngestErrors"])
async def test_the_ingest_speaks_before_the_sources_that_push_to_it(name: str, tmp_path: Path) -> None:
    """All of them fall silent when they can't push, and can't help it; one ingest of several is no excuse."""
    async with talking(tmp_path) as talk:
        cause = alert(name, "i1", instance="i1", job="flatline-ingest")
        await chain(talk, cause, alert("PushUnavailable", "the ingest"), alert("SourceStale", "feeds", source="feeds"))


@pytest.mark.servers
async def test_what_is_not_delivered_is_counted_and_keeps_the_watchdog_back(tmp_path: Path) -> None:
    """Slack no longer knows the webhook: only who misses the watchdog can notice."""
    revoked = tmp_path / "revoked"

    def change(configuration: dict[str, Any]) -> None:
        webhook = Path(configuration["global"]["slack_api_url_file"])
        revoked.write_text(webhook.read_text() + "-revoked")
        configuration["global"]["slack_api_url_file"] = str(revoked)

    async with talking(tmp_path, change=change) as talk:
        await talk.tell(alert("Watchdog", ""), alert("SourceStale", "feeds", source="feeds"))
        counted = 'alertmanager_notifications_failed_total{integration="slack"} '
        await asyncio.to_thread(until, "it is counted", lambda: counted + "1" in metrics(talk.address))
        assert states(talk.address)["Watchdog"] == "active"
        await talk.tell(alert("NotificationsFailing", "slack", integration="slack"))
        await asyncio.to_thread(until, "it is back", lambda: states(talk.address)["Watchdog"] == "suppressed")


def metrics(alertmanager: str) -> str:
    """Return the exposition of an Alertmanager."""
    with urlopen(f"http://{alertmanager}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def states(alertmanager: str) -> dict[str, str]:
    """Return the state of each alert that an Alertmanager has."""
    with urlopen(f"http://{alertmanager}/api/v2/alerts", timeout=5) as answer:
        return {each["labels"]["alertname"]: each["status"]["state"] for each in json.load(answer)}


@pytest.mark.servers
async def test_a_source_speaks_before_what_it_alone_sees(tmp_path: Path) -> None:
    """An article and a group that nobody sees are not told; others are."""
    async with talking(tmp_path) as talk:
        await talk.tell(
            alert("ArticleUnseen", "T", article="a/1"), alert("GroupUnseen", "S (series)", kind="series", group="S")
        )
        await talk.tell(
            alert("ArticleSilent", "Unseen", article="a/1", tier="1"),
            alert("ArticleSilent", "Seen", article="a/2", tier="1"),
            alert("GroupUnderCurve", "S (series)", kind="series", group="S", series="S"),
            alert("GroupUnderCurve", "S (author)", kind="author", group="S", author="S"),
        )
        assert {(await talk.received())["title"] for _ in range(2)} == {
            "An article stopped gaining links: \u2068Seen\u2069",
            "A group of articles gained far fewer links than expected: \u2068S (author)\u2069",
        }


@pytest.mark.servers
async def test_a_group_takes_the_place_of_its_articles(tmp_path: Path) -> None:
    """While a series is under its curve its articles are not told one by one; others are, with a series or without."""
    async with talking(tmp_path) as talk:
        group = alert("GroupUnderCurve", "S (series)", kind="series", group="S", series="S")
        await talk.tell(group)
        assert (await talk.received())["title"].endswith("gained far fewer links than expected: \u2068S (series)\u2069")
        await talk.tell(
            alert("ArticleSilent", "In S", article="a/1", series="S", tier="1"),
            alert("ArticleSilent", "In T", article="a/2", series="T", tier="1"),
            alert("ArticleSilent", "In none", article="a/3", tier="1"),
        )
        assert {(await talk.received())["title"] for _ in range(2)} == {
            "An article of \u2068T\u2069 stopped gaining links: \u2068In T\u2069",
            "An article stopped gaining links: \u2068In none\u2069",
        }
        await talk.tell({**group, "endsAt": datetime.now(UTC).isoformat()})
        assert (await talk.received())["title"] == "An article of \u2068S\u2069 stopped gaining links: \u2068In S\u2069"


@pytest.mark.servers
async def test_what_ends_at_night_is_told_in_the_morning(tmp_path: Path) -> None:
    """Alertmanager drops the word that an alert is over; the alert on its end waits for the hours."""
    begins = (datetime.now(UTC) + timedelta(seconds=90)).replace(second=0, microsecond=0)
    # In a zone where it is noon: no midnight comes between. Etc/GMT-3 is three hours ahead.
    hours = {
        "times": [{"start_time": begins.strftime("12:%M"), "end_time": "24:00"}],
        "location": f"Etc/GMT{begins.hour - 12:+d}",
    }

    def change(configuration: dict[str, Any]) -> None:
        configuration["time_intervals"].append({"name": "morning", "time_intervals": [hours]})
        for child in configuration["route"]["routes"]:
            if child["receiver"] == "slack-articles":
                child["active_time_intervals"] = ["morning"]

    async with talking(tmp_path, change=change) as talk:
        labels = {"article": "a/b", "tier": "1"}
        await talk.tell(alert("ArticleSilent", "T", **labels))
        await talk.tell(alert("ArticleSilent", "T", **labels, over=True))
        await talk.tell(alert("ArticleAlertEnded", "T", **labels, ended="ArticleSilent"))
        assert (await talk.received())["title"] == "An alert on an article ended: \u2068T\u2069"
        assert datetime.now(UTC) >= begins


@pytest.mark.servers
async def test_the_digest_is_one_message_on_everything_that_can_wait(tmp_path: Path) -> None:
    """Each series has a heading, and its articles a line each; all of it is one message."""
    async with talking(tmp_path) as talk:
        await talk.tell(
            alert("ArticleCooling", "Cool", article="a/1", series="S", tier="1"),
            alert("ArticleSilent", "Third tier", article="a/2", series="T", tier="3"),
            *(alert("ArticleSilent", f"Unknown {i:02}", article=f"b/{i:02}") for i in range(9)),
            alert("WatchListOverflow", "the watch list"),
        )
        message = await talk.received()
        line = "\u2069: No link for 62 days. Silent since 2026-05-12."
        assert message["title"] == (
            "Daily digest: 12 new. In all, 10 articles stopped gaining links, "
            "1 article gained fewer links than usual, registered articles are not watched"
        )
        first, *lines = message["text"].rstrip("\n").split("\n")
        assert first.startswith("New since 2")
        assert lines == [
            "\u2068S\u2069:",
            f"• \u2068Cool{line.replace('Silent', 'Cooling')}",
            "\u2068T\u2069:",
            f"• \u2068Third tier{line}",
            "Without a series:",
            "• \u2068the watch list\u2069: No link for 62 days.",
            *(f"• \u2068Unknown {i:02}{line}" for i in range(7)),
            "… and 2 more",
        ]
        assert message["actions"][1]["url"].endswith("/runbook")
        with pytest.raises(TimeoutError):
            await talk.received(within_s=4)


@pytest.mark.servers
async def test_what_is_new_is_not_hidden_in_the_digest(tmp_path: Path) -> None:
    """What began today has a line each, what is registered first; what was known is counted by series, and has none."""
    async with talking(tmp_path) as talk:
        await talk.tell(
            *(alert("ArticleSilent", f"Old {i}", article=f"a/{i}", tier="3", began_days_ago=20) for i in range(9)),
            alert("ArticleSilent", "Old, of S", article="a/s", series="S", tier="3", began_days_ago=9),
            alert("ArticleCooling", "Old and cool, of S", article="a/t", series="S", tier="1", began_days_ago=9),
            alert("ArticleSilent", "Today, unknown", article="b/unknown"),
            alert("ArticleSilent", "Today", article="z/1", tier="3", began_days_ago=0.4),
        )
        message = await talk.received()
    assert message["title"].startswith("Daily digest: 2 new. In all, 12 articles stopped gaining links, 1 article ")
    lines = message["text"].rstrip("\n").split("\n")[1:]
    assert [line.partition("\u2069: No link")[0] for line in lines] == [
        "Without a series:",
        "• \u2068Today",
        "• \u2068Today, unknown",
        "Known before:",
        "• \u2068S\u2069: 1 article stopped gaining links, 1 article gained fewer links than usual.",
        "• Without a series: 9 articles stopped gaining links.",
    ]


@pytest.mark.servers
@pytest.mark.parametrize("interval", ["daytime", "digest"])
@pytest.mark.parametrize("is_now", [True, False])
async def test_people_are_told_in_their_hours(interval: str, is_now: bool, tmp_path: Path) -> None:
    """What waits for an hour is heard in it, and not outside of it; the pipeline is heard at any time."""
    days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
    hours_from_now = datetime.now(UTC) + timedelta(days=0 if is_now else 3)
    weekday = days[hours_from_now.isoweekday() % 7]

    def change(configuration: dict[str, Any]) -> None:
        for each in configuration["time_intervals"]:
            of_weekday = [{"weekdays": [weekday]}]
            each["time_intervals"] = of_weekday if each["name"] == interval else [{"years": ["1999"]}]
        soon(configuration["route"])

    def soon(of_route: dict[str, Any]) -> None:
        of_route["group_wait"] = "1s"
        for child in of_route.get("routes", []):
            soon(child)

    tier = {"daytime": "1", "digest": "3"}[interval]
    async with talking(tmp_path, pace=Pace(), change=change) as talk:
        await talk.tell(alert("ArticleSilent", "T", article="a/b", tier=tier))
        if is_now:
            assert "stopped gaining links" in (await talk.received())["title"]
        else:
            with pytest.raises(TimeoutError):
                await talk.received(within_s=4)
        await talk.tell(alert("WorkerDown", "w1", instance="w1"))
        assert (await talk.received())["title"].startswith("A worker went down")


@pytest.mark.servers
async def test_losses_of_a_day_are_told_once(tmp_path: Path) -> None:
    """While a site's losses of a day have an alert its articles have none for it; other days and sites do."""
    async with talking(tmp_path) as talk:
        await talk.tell(alert("GroupMassLoss", "a.example", site="a.example", day="1780272000"))
        title = "A group of articles lost many links on one day: \u2068a.example\u2069"
        assert (await talk.received())["title"] == title
        await talk.tell(
            *(
                alert("ArticleMassLoss", subject, article=subject, tier="1", series=subject, site=site, day=day)
                for subject, site, day in (
                    ("same", "a.example", "1780272000"),
                    ("later", "a.example", "1780358400"),
                    ("other", "b.example", "1780272000"),
                )
            )
        )
        assert {(await talk.received())["title"].rpartition(": ")[2] for _ in range(2)} == {
            "\u2068later\u2069",
            "\u2068other\u2069",
        }
        with pytest.raises(TimeoutError):
            await talk.received(within_s=3)
