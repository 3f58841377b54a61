"""What people read in Slack: one message a group, with what happened, since when, how sure, and where to go."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from flatline.demo.slack_receiver import Message, plain_text
from flatline.local import programs
from tests.deploy.alert_rules import DEPLOY, alerts
from tests.deploy.talking import GRAFANA, RUNBOOK, Talk, alert, talking
from tests.deploy.test_alerts import run


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """Return one that has not said anything yet."""
    async with talking(tmp_path) as entered:
        yield entered


async def test_a_group_is_one_message_when_it_fires_and_one_when_it_ends(talk: Talk) -> None:
    """A dozen articles are ten lines and a number; Alertmanager's own word that they are over is not passed on."""
    names = [f"T{i:02}" for i in range(12)]
    await talk.tell(*(alert("ArticleSilent", name, article=name, series="S", tier="1") for name in names))
    message = await talk.received()
    assert message["title"] == "12 articles of \u2068S\u2069 stopped gaining links"
    assert (message["fallback"], message["color"]) == (message["title"], "warning")
    lines = message["text"].rstrip("\n").split("\n")
    figures = "No link for 62 days. Silent since 2026-05-12."
    assert lines == [*(f"• \u2068{name}\u2069: {figures}" for name in names[:10]), "… and 2 more"]

    await talk.tell(*(alert("ArticleSilent", name, article=name, series="S", tier="1", over=True) for name in names))
    ended = {"series": "S", "tier": "1", "ended": "ArticleSilent"}
    await talk.tell(*(alert("ArticleAlertEnded", name, article=name, **ended) for name in names))
    message = await talk.received()
    assert (message["title"], message["color"]) == ("12 alerts on articles of \u2068S\u2069 ended", "good")
    lines = message["text"].rstrip("\n").split("\n")
    assert lines[0] == "• \u2068T00\u2069 (stopped gaining links): No link for 62 days. First noticed on 2026-05-12."
    assert (len(lines), lines[10]) == (11, "… and 2 more")


async def test_the_newest_come_first(talk: Talk) -> None:
    """Alertmanager sorts by labels; what began today stands above what has been known for weeks."""
    await talk.tell(
        alert("ArticleSilent", "A, long ago", article="a", tier="1", began_days_ago=20),
        alert("ArticleSilent", "B, today", article="b", tier="1"),
        alert("ArticleSilent", "C, long ago", article="c", tier="1", began_days_ago=9),
        alert("ArticleSilent", "D, today", article="d", tier="1", began_days_ago=0.1),
    )
    lines = (await talk.received())["text"].rstrip("\n").split("\n")
    assert [line.partition("\u2069")[0][3:] for line in lines] == ["B, today", "D, today", "A, long ago", "C, long ago"]


async def test_buttons_lead_where_they_say(talk: Talk) -> None:
    """Of one article to itself and its dashboard, of several to the portfolio; the silence is filled in."""
    hard = 'Q&A: "why" + how\\'
    await talk.tell(alert("ArticleSilent", "T", article="yours.example/t", series=hard, tier="1"))
    message = await talk.received()
    buttons = {action["text"]: action["url"] for action in message["actions"]}
    silence = urlsplit(buttons.pop("Silence"))
    assert message["title_link"] == "https://yours.example/t"
    assert buttons == {
        "Dashboard": f"{GRAFANA}/flatline-article?var-article=yours.example/t",
        "What to do": f"{RUNBOOK}#articlesilent",
    }
    assert f"{silence.scheme}://{silence.netloc}{silence.path}" == RUNBOOK.replace("/runbook", "/snooze")
    query = silence.query
    assert "+" not in query  # Alertmanager's page takes it for itself
    (matchers,) = parse_qs(query)["filter"]
    assert matchers == f'{{alertname="ArticleSilent",series={json.dumps(hard)}}}'

    await talk.tell(alert("ArticleSilent", "U", article="yours.example/u", series=hard, tier="1"))
    message = await talk.received()
    assert message["actions"][0]["url"] == f"{GRAFANA.removesuffix('/d')}/d/flatline-portfolio"
    assert message["title_link"] == message["actions"][0]["url"]


async def test_good_news_is_said_once_and_helpers_speak_to_nobody(talk: Talk) -> None:
    """That an article is no longer revived is not said, and what only serves others isn't Slack's."""
    await talk.tell(
        alert("Watchdog", ""),
        alert("ArticleUnseen", "T", article="x/y"),
        alert("GroupUnseen", "S (series)", kind="series", group="S"),
        alert("ArticleRevived", "T", article="a/b"),
    )
    message = await talk.received()
    assert (message["title"], message["color"]) == ("An article gained links again: \u2068T\u2069", "#439FE0")
    await talk.tell(alert("ArticleRevived", "T", article="a/b", over=True))
    # Two groups that form later speak later.
    for source in ("feeds", "crawler"):
        await talk.tell(alert("SourceStale", source, source=source))
        message = await talk.received()
    assert message["title"] == "2 sources went quiet"
    assert message["text"].count("•") == 2
    shown = plain_text(Message({"attachments": [message]}, arrived_ms=0)).split("\n")
    assert shown[:3] == ["2 sources went quiet", "• crawler: No link for 62 days.", "• feeds: No link for 62 days."]


async def test_alerts_of_other_peoples_rules_are_told_as_they_are(talk: Talk) -> None:
    """Without our annotations there is a title, a line, and buttons that lead somewhere."""
    theirs = {"labels": {"alertname": "DiskFull", "instance": "db1:9100"}}
    await talk.tell(theirs)
    message = await talk.received()
    assert message["title"] == "DiskFull"
    assert message["text"].strip() == "• \u2068db1:9100\u2069: no description."
    assert {action["url"] for action in message["actions"][:2]} == {f"http://{talk.address}"}
    await talk.tell(theirs | {"endsAt": datetime.now(UTC).isoformat()})
    assert (await talk.received())["title"] == "Resolved: DiskFull"


@pytest.mark.parametrize(
    ("name", "one", "many"),
    [
        ("ArticleSilent", "An article stopped gaining links: a", "2 articles stopped gaining links"),
        ("ArticleCooling", "An article gained fewer links than usual: a", "2 articles gained fewer links than usual"),
        ("ArticleRevived", "An article gained links again: a", "2 articles gained links again"),
        (
            "ArticleQualityGone",
            "An article stopped gaining high-quality links: a",
            "2 articles stopped gaining high-quality links",
        ),
        ("ArticleMassLoss", "An article lost many links at once: a", "2 articles lost many links at once"),
        (
            "GroupUnderCurve",
            "A group of articles gained far fewer links than expected: a",
            "2 groups of articles gained far fewer links than expected",
        ),
        (
            "GroupMassLoss",
            "A group of articles lost many links on one day: a",
            "2 groups of articles lost many links on one day",
        ),
        ("ArticleAlertEnded", "An alert on an article ended: a", "2 alerts on articles ended"),
        ("GroupAlertEnded", "An alert on a group of articles ended: a", "2 alerts on groups of articles ended"),
        (
            "PublisherTurnedNofollow",
            "A publisher made many links nofollow: a",
            "2 publishers made many links nofollow",
        ),
        ("SourceStale", "A source went quiet: a", "2 sources went quiet"),
        (
            "SourceRejecting",
            "A source sent many invalid events: a",
            "2 sources sent many invalid events",
        ),
        ("WorkerDown", "A worker went down: a", "2 workers went down"),
        ("WorkerStuck", "A worker got stuck: a", "2 workers got stuck"),
        ("DeadLetters", "Records could not be read: a", "Records could not be read"),
        *(
            (name, f"{alerts()[name]['annotations']['summary']}: a", alerts()[name]["annotations"]["summary"])
            for name in (
                "ClockSkew",
                "CommitsFailing",
                "ConfigurationRejected",
                "ConsumerLagGrowing",
                "DiskFilling",
                "IngestDown",
                "IngestErrors",
                "NotificationsFailing",
                "PartitionsUnattended",
                "RulesFailing",
                "WatchListOverflow",
            )
        ),
    ],
)
@pytest.mark.parametrize("status", ["firing", "resolved"])
def test_titles_say_what_happened_to_how_many(name: str, one: str, many: str, status: str, tmp_path: Path) -> None:
    """One and several, firing and over, in words."""
    over = {"firing": "", "resolved": "Resolved: "}[status]
    assert _title(name, ["a"], status, tmp_path) == over + one
    assert _title(name, ["a", "b"], status, tmp_path) == over + many


@pytest.mark.parametrize(
    ("changed", "has_ended", "since", "why"),
    [
        ("2026-11-26T03:00:00Z", False, "2026-11-25", "Thursday: since a day before"),
        ("2026-11-28T03:00:00Z", False, "2026-11-27", "Saturday: the digest on Monday covers Friday, too"),
        ("2026-11-29T03:00:00Z", False, "2026-11-27", "Sunday: the same"),
        ("2026-11-30T03:00:00Z", False, "2026-11-27", "Monday: the same"),
        ("2026-11-30T03:00:00Z", True, None, "an end is a change, too: what began long before is not new"),
    ],
)
def test_new_is_what_the_last_digest_did_not_have(
    changed: str, has_ended: bool, since: str | None, why: str, tmp_path: Path
) -> None:
    """A digest comes on working days: what began over the weekend is new on Monday."""
    old = alert("ArticleSilent", "Old", article="a", series="S") | {"startsAt": "2026-11-10T09:00:00Z"}
    name, labels = ("ArticleAlertEnded", {"ended": "ArticleCooling"}) if has_ended else ("ArticleSilent", {})
    other = alert(name, "Other", article="b", series="S", **labels) | {"startsAt": changed}
    title, text = _digest([old, other], tmp_path)
    known = "Known before:\n• S: 1 article stopped gaining links."
    if since is None:
        assert title == "nothing new. Still, 1 article stopped gaining links", why
        assert text.startswith(f"{known}\nEnded:\n• Other (gained fewer links than usual): No link"), why
    else:
        assert title == "1 new. In all, 2 articles stopped gaining links", why
        assert text.startswith(f"New since {since}:\nS:\n• Other: No link"), why
        assert text.endswith(known), why


def test_a_digest_of_ends_alone(tmp_path: Path) -> None:
    """What was told in the last one is not told again, though it still fires."""
    ended = [
        alert("ArticleAlertEnded", subject, article=subject, ended="ArticleCooling") | {"startsAt": starts_at}
        for subject, starts_at in (("Old", "2026-11-24T09:00:00Z"), ("New", "2026-11-26T03:00:00Z"))
    ]
    title, text = _digest(ended, tmp_path)
    assert title == "1 alert ended"
    assert text.split("\n")[:1] == ["Ended:"]
    assert ("• New (" in text, "Old" in text) == (True, False)


def _digest(firing: list[dict[str, Any]], folder: Path) -> tuple[str, str]:
    """Return the title and the text of a digest."""
    group = {"status": "firing", "alerts": [each | {"status": "firing"} for each in firing]}
    title, text = (_rendered(f"flatline.digest_{part}", group, folder) for part in ("title", "text"))
    return title, text


def test_a_long_digest_stays_short(tmp_path: Path) -> None:
    """It has at most ten new alerts, ten series of others and ten ends, and says how many more there are."""
    new, old = "2026-11-26T03:00:00Z", "2026-11-01T03:00:00Z"
    kinds = {"new": ("ArticleSilent", new), "old": ("ArticleSilent", old), "ended": ("ArticleAlertEnded", new)}
    many = [
        alert(name, f"{kind} {i}", article=f"{kind}/{i}", series=f"S{i:02}", tier="3", **labels)
        | {"startsAt": starts_at}
        for kind, (name, starts_at) in kinds.items()
        for labels in [{"ended": "ArticleSilent"} if kind == "ended" else {}]
        for i in range(13)
    ]
    _, text = _digest(many, tmp_path)
    assert [line for line in text.split("\n") if line.startswith("…")] == [
        "… and 3 more",
        "… and 3 more series",
        "… and 3 more",
    ]
    assert text.count("\n") < 50


def _title(name: str, subjects: list[str], status: str, folder: Path) -> str:
    """Return the title of a message on these, without the marks of direction."""
    of_group = {"alertname": name, **alerts()[name]["labels"]}
    group = {
        "status": status,
        "alerts": [{**alert(name, subject), "labels": of_group, "status": status} for subject in subjects],
        "groupLabels": of_group,
        "commonLabels": of_group,
    }
    return _rendered("flatline.title", group, folder)


def _rendered(template: str, group: dict[str, Any], folder: Path) -> str:
    """Return what a template makes of a group of alerts, without the marks of direction."""
    file = folder / "group.json"
    file.write_text(json.dumps(group))
    options = (
        "--template.glob",
        DEPLOY / "alertmanager" / "slack" / "*.tmpl",
        "--template.text",
        f'{{{{ template "{template}" . }}}}',
    )
    rendered = run(programs.AMTOOL.required(), "template", "render", *options, "--template.data", file)
    return rendered.replace("\u2068", "").replace("\u2069", "").strip("\n")
