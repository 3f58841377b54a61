import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from deploy.demo.slack_receiver import Message, SlackReceiver, plain_text
from deploy.local import programs
from deploy.local.alertmanager import Alertmanager
from deploy.local.pace import Pace
from deploy.local.ports import Ports
from deploy.local.supervisor import Supervisor
from tests.deploy.alert_rules import DEPLOY, alerts
from tests.deploy.test_alerts import run

HOSTILE = [
    "<!channel> & <script>alert(1)</script>",
    "*bold* _it_ ~no~ `code` ```block```",
    "two\nlines\r\nand\u2028three\x85four\x00five",
    "x" * 10_000,
    "<" * 10_000,
    "\u202eright to left\u2066\u200f",
    "<https://evil.example/|click> &lt;!here&gt; @channel",
    '{{ template "flatline.title" . }} {{ .Labels }} ${1} \\x',
]


class Talk:
    """A real Alertmanager with the project's configuration at a fast pace, and what Slack gets from it."""

    def __init__(self, address: str, receiver: SlackReceiver) -> None:
        self._address = address
        self._receiver = receiver
        self._arrivals = receiver.arrivals()

    async def tell(self, *told: dict[str, Any]) -> None:
        """Send alerts as Prometheus does."""
        async with aiohttp.ClientSession() as client:
            answer = await client.post(f"http://{self._address}/api/v2/alerts", json=told)
            assert answer.status == 200, await answer.text()

    async def heard(self) -> dict[str, Any]:
        """Return the attachment of Slack's next message, which is in order."""
        try:
            async with asyncio.timeout(20):
                message = await anext(self._arrivals)
        finally:
            assert self._receiver.violations == []
        (attachment,) = message.payload["attachments"]
        assert isinstance(attachment, dict)
        return attachment


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """Return one that has not said anything yet."""
    async with SlackReceiver() as receiver:
        webhook = tmp_path / "webhook"
        webhook.write_text(receiver.url)
        alertmanager = Alertmanager(tmp_path / "alertmanager", Ports(tmp_path / "ports.json"))
        with Supervisor(tmp_path / "logs", say=print) as supervisor:
            supervisor.start(alertmanager.process(slack_webhook_url_file=webhook, pace=Pace(86_400)))
            yield Talk(alertmanager.address, receiver)


def alert(name: str, subject: str, *, over: bool = False, **labels: str) -> dict[str, Any]:
    """Return an alert with the words of its rule and these of its own, firing or over since just now."""
    rule = alerts()[name]
    words = {"subject": subject, "description": "No link for 62 days."}
    return {
        "labels": {"alertname": name, **rule["labels"], **labels},
        "annotations": rule["annotations"] | words,
        **({"endsAt": datetime.now(UTC).isoformat()} if over else {}),
    }


async def test_a_hostile_series_makes_one_harmless_message(talk: Talk) -> None:
    """Titles neither notify a channel, nor format, nor break lines, nor turn the text, nor are they too long."""
    told = [alert("ArticleSilent", title, article=f"a/{i}", series=HOSTILE[0]) for i, title in enumerate(HOSTILE)]
    await talk.tell(*told)
    heard = await talk.heard()
    series = "\u2068&lt;!channel&gt; &amp; &lt;script&gt;alert(1)&lt;/script&gt;\u2069"
    assert heard["title"] == f"8 articles of {series} stopped gaining links"
    assert heard["fallback"] == heard["title"]
    assert heard["color"] == "warning"
    assert set(heard["mrkdwn_in"]).isdisjoint({"text", "fallback", "fields"})
    ends = "\u2069: No link for 62 days."
    assert heard["text"].rstrip("\n").split("\n") == [
        f"• {series}: No link for 62 days.",
        f"• \u2068*bold* _it_ ~no~ `code` ```block```{ends}",
        f"• \u2068two lines and three four five{ends}",
        f"• \u2068{'x' * 100}…{ends}",
        f"• \u2068{'&lt;' * 100}…{ends}",
        f"• \u2068right to left{ends}",
        f"• \u2068&lt;https://evil.example/|click&gt; &amp;lt;!here&amp;gt; @channel{ends}",
        f'• \u2068{{{{ template "flatline.title" . }}}} {{{{ .Labels }}}} ${{1}} \\x{ends}',
    ]
    assert heard["actions"] == [{"type": "button", "text": "What to do", "url": told[0]["annotations"]["runbook_url"]}]


async def test_a_group_is_one_message_when_it_fires_and_one_when_it_is_over(talk: Talk) -> None:
    """A dozen articles are ten lines and a number, and nothing is said twice."""
    names = [f"T{i:02}" for i in range(12)]
    await talk.tell(*(alert("ArticleSilent", name, article=name, series="S") for name in names))
    heard = await talk.heard()
    assert heard["title"] == "12 articles of \u2068S\u2069 stopped gaining links"
    lines = heard["text"].rstrip("\n").split("\n")
    assert lines == [*(f"• \u2068{name}\u2069: No link for 62 days." for name in names[:10]), "… and 2 more"]

    await talk.tell(alert("ArticleSilent", "T00", article="T00", series="S", over=True))
    heard = await talk.heard()
    assert heard["title"] == "11 articles of \u2068S\u2069 stopped gaining links"
    resolved = alerts()["ArticleSilent"]["annotations"]["resolved"]
    assert heard["text"].rstrip("\n").split("\n")[10:] == ["… and 1 more", "Resolved:", "• \u2068T00\u2069", resolved]

    await talk.tell(*(alert("ArticleSilent", name, article=name, series="S", over=True) for name in names[1:]))
    heard = await talk.heard()
    assert (heard["title"], heard["color"]) == ("Resolved: 11 articles of \u2068S\u2069 stopped gaining links", "good")
    assert heard["text"].rstrip("\n").split("\n")[-2:] == ["… and 1 more", resolved]


async def test_the_pipeline_speaks_before_articles_and_sources(talk: Talk) -> None:
    """While a worker is down nothing is said of what can't be seen; when it is back, it is."""
    await talk.tell(alert("WorkerDown", "w1", instance="w1", job="flatline-worker"))
    heard = await talk.heard()
    assert (heard["title"], heard["color"]) == ("A worker went down: \u2068w1\u2069", "danger")

    await talk.tell(alert("ArticleSilent", "T", article="a/b"), alert("SourceStale", "feeds", source="feeds"))
    await talk.tell(alert("DeadLetters", "not_json in t", topic="t", reason="not_json"))
    assert (await talk.heard())["title"] == "Records could not be read: \u2068not_json in t\u2069"

    await talk.tell(alert("WorkerDown", "w1", instance="w1", job="flatline-worker", over=True))
    assert {(await talk.heard())["title"] for _ in range(3)} == {
        "Resolved: A worker went down: \u2068w1\u2069",
        "An article stopped gaining links: \u2068T\u2069",
        "A source went quiet: \u2068feeds\u2069",
    }


async def test_a_group_takes_the_place_of_its_articles(talk: Talk) -> None:
    """While a series is under its curve its articles are not told one by one; others are, with a series or without."""
    await talk.tell(alert("GroupUnderCurve", "S (series)", kind="series", group="S", series="S"))
    assert (await talk.heard())["title"].endswith("gained fewer links than chance explains: \u2068S (series)\u2069")

    await talk.tell(
        alert("ArticleSilent", "In S", article="a/1", series="S"),
        alert("ArticleSilent", "In T", article="a/2", series="T"),
        alert("ArticleSilent", "In none", article="a/3"),
    )
    assert {(await talk.heard())["title"] for _ in range(2)} == {
        "An article of \u2068T\u2069 stopped gaining links: \u2068In T\u2069",
        "An article stopped gaining links: \u2068In none\u2069",
    }

    await talk.tell(alert("GroupUnderCurve", "S (series)", kind="series", group="S", series="S", over=True))
    assert {(await talk.heard())["title"] for _ in range(2)} == {
        "Resolved: A group of articles gained fewer links than chance explains: \u2068S (series)\u2069",
        "An article of \u2068S\u2069 stopped gaining links: \u2068In S\u2069",
    }


async def test_good_news_is_said_once_and_the_watchdog_to_nobody(talk: Talk) -> None:
    """That an article is no longer revived is not said, and the watchdog isn't Slack's."""
    await talk.tell(alert("Watchdog", ""), alert("ArticleRevived", "T", article="a/b"))
    heard = await talk.heard()
    assert (heard["title"], heard["color"]) == ("An article gained links again: \u2068T\u2069", "#439FE0")
    await talk.tell(alert("ArticleRevived", "T", article="a/b", over=True))
    # Two groups that form later speak later.
    for source in ("feeds", "crawler"):
        await talk.tell(alert("SourceStale", source, source=source))
        heard = await talk.heard()
    assert heard["title"] == "2 sources went quiet"
    assert heard["text"].count("•") == 2
    shown = plain_text(Message({"attachments": [heard]}, arrived_ms=0)).split("\n")
    assert shown[:3] == ["2 sources went quiet", "• crawler: No link for 62 days.", "• feeds: No link for 62 days."]


@pytest.mark.parametrize(
    ("name", "one", "many"),
    [
        ("ArticleSilent", "An article stopped gaining links: a", "2 articles stopped gaining links"),
        ("ArticleRevived", "An article gained links again: a", "2 articles gained links again"),
        ("ArticleMassLoss", "An article lost many links at once: a", "2 articles lost many links at once"),
        (
            "GroupUnderCurve",
            "A group of articles gained fewer links than chance explains: a",
            "2 groups of articles gained fewer links than chance explains",
        ),
        ("SourceStale", "A source went quiet: a", "2 sources went quiet"),
        ("WorkerDown", "A worker went down: a", "2 workers went down"),
        ("WorkerStuck", "A worker got stuck: a", "2 workers got stuck"),
        ("DeadLetters", "Records could not be read: a", "Records could not be read"),
    ],
)
@pytest.mark.parametrize("status", ["firing", "resolved"])
def test_titles_say_what_happened_to_how_many(name: str, one: str, many: str, status: str, tmp_path: Path) -> None:
    """One and several, firing and over, in words."""
    over = {"firing": "", "resolved": "Resolved: "}[status]
    assert title(name, ["a"], status, tmp_path) == over + one
    assert title(name, ["a", "b"], status, tmp_path) == over + many


def title(name: str, subjects: list[str], status: str, folder: Path) -> str:
    """Return the title of a message on these, without the marks of direction."""
    of_group = {"alertname": name, **alerts()[name]["labels"]}
    group = {
        "status": status,
        "alerts": [{**alert(name, subject), "labels": of_group, "status": status} for subject in subjects],
        "groupLabels": of_group,
        "commonLabels": of_group,
    }
    file = folder / "group.json"
    file.write_text(json.dumps(group))
    template = (
        "--template.glob",
        DEPLOY / "alertmanager" / "*.tmpl",
        "--template.text",
        '{{ template "flatline.title" . }}',
    )
    rendered = run(programs.AMTOOL.required(), "template", "render", *template, "--template.data", file)
    return rendered.replace("\u2068", "").replace("\u2069", "").strip("\n")
