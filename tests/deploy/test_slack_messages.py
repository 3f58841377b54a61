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
from tests.deploy.talking import ENDING, GRAFANA, RUNBOOK, Talk, alert, talking
from tests.deploy.test_alerts import run


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """Return one that has not said anything yet."""
    async with talking(tmp_path) as entered:
        yield entered


async def test_a_group_is_one_message_when_it_fires_and_one_when_it_is_over(talk: Talk) -> None:
    """A dozen articles are ten lines and a number, and nothing is said twice."""
    names = [f"T{i:02}" for i in range(12)]
    await talk.tell(*(alert("ArticleSilent", name, article=name, series="S", tier="1") for name in names))
    message = await talk.received()
    assert message["title"] == "12 articles of \u2068S\u2069 stopped gaining links"
    assert (message["fallback"], message["color"]) == (message["title"], "warning")
    lines = message["text"].rstrip("\n").split("\n")
    figures = "No link for 62 days. Silent since 2026-05-12."
    assert lines == [*(f"• \u2068{name}\u2069: {figures}" for name in names[:10]), "… and 2 more"]

    await talk.tell(alert("ArticleSilent", "T00", article="T00", series="S", tier="1", over=True))
    message = await talk.received()
    assert message["title"] == "11 articles of \u2068S\u2069 stopped gaining links"
    assert message["text"].rstrip("\n").split("\n")[10:] == ["… and 1 more", "Resolved:", "• \u2068T00\u2069", ENDING]

    over = (alert("ArticleSilent", name, article=name, series="S", tier="1", over=True) for name in names[1:])
    await talk.tell(*over)
    message = await talk.received()
    assert (message["title"], message["color"]) == (
        "Resolved: 11 articles of \u2068S\u2069 stopped gaining links",
        "good",
    )
    assert message["text"].rstrip("\n").split("\n")[-2:] == ["… and 1 more", ENDING]


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
    assert silence.netloc == talk.address
    path, _, query = silence.fragment.partition("?")
    assert path == "/silences/new"
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


def test_different_endings_have_a_line_each(tmp_path: Path) -> None:
    """What ended in the same way is explained once; otherwise each line says how it ended."""
    endings = ("It gained links again.", "It is no longer watched.")

    def text(*endings: str) -> str:
        over = [alert("ArticleSilent", f"T{i}") | {"status": "resolved"} for i in range(len(endings))]
        for each, ending in zip(over, endings, strict=True):
            each["annotations"]["resolved"] = ending
        return _rendered("flatline.text", {"status": "resolved", "alerts": over}, tmp_path)

    assert text(endings[0], endings[0]) == f"• T0\n• T1\n{endings[0]}"
    assert text(*endings) == f"• T0 \u2013 {endings[0]}\n• T1 \u2013 {endings[1]}"


@pytest.mark.parametrize(
    ("changed", "is_over", "since", "why"),
    [
        ("2026-11-26T03:00:00Z", False, "2026-11-25", "Thursday: since a day before"),
        ("2026-11-28T03:00:00Z", False, "2026-11-27", "Saturday: the digest on Monday covers Friday, too"),
        ("2026-11-29T03:00:00Z", False, "2026-11-27", "Sunday: the same"),
        ("2026-11-30T03:00:00Z", False, "2026-11-27", "Monday: the same"),
        ("2026-11-30T03:00:00Z", True, None, "what ended today is a change, too: what began long before is not new"),
    ],
)
def test_new_is_what_the_last_digest_did_not_have(
    changed: str, is_over: bool, since: str | None, why: str, tmp_path: Path
) -> None:
    """A digest comes on working days: what began over the weekend is new on Monday."""
    old = alert("ArticleSilent", "Old", article="a", series="S") | {"startsAt": "2026-11-10T09:00:00Z"}
    other = alert("ArticleSilent", "Other", article="b", series="S")
    other |= {"startsAt": "2026-11-11T09:00:00Z", "endsAt": changed} if is_over else {"startsAt": changed}
    alerts_ = [old | {"status": "firing"}, other | {"status": "resolved" if is_over else "firing"}]
    title, text = (
        _rendered(f"flatline.digest_{part}", {"status": "firing", "alerts": alerts_}, tmp_path)
        for part in ("title", "text")
    )
    known = "Known before:\n• S: 1 article stopped gaining links.\n"
    if since is None:
        assert title == "nothing new. Still, 1 article stopped gaining links", why
        assert text.startswith(f"{known}Resolved:\n• Other: "), why
    else:
        assert title == "1 new. In all, 2 articles stopped gaining links", why
        assert text.startswith(f"New since {since}:\nS:\n• Other: No link"), why
        assert text.endswith(known.rstrip("\n")), why


def test_a_long_digest_stays_short(tmp_path: Path) -> None:
    """It has at most ten new alerts, ten series of others and ten that ended, and says how many more there are."""
    began = {"firing": "2026-11-26T03:00:00Z", "old": "2026-11-01T03:00:00Z", "resolved": "2026-11-01T03:00:00Z"}
    many = [
        alert("ArticleSilent", f"{status} {i}", article=f"{status}/{i}", series=f"S{i:02}", tier="3")
        | {"startsAt": starts_at, "endsAt": "2026-11-26T03:00:00Z", "status": status.replace("old", "firing")}
        for status, starts_at in began.items()
        for i in range(13)
    ]
    text = _rendered("flatline.digest_text", {"status": "firing", "alerts": many}, tmp_path)
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
