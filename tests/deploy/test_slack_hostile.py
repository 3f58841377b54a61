"""Foreign text in Slack: it notifies nobody, formats nothing, breaks and turns no line, and is never too long."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from flatline.domain.snoozes import labels_in
from flatline.local import programs
from tests.deploy.talking import alert, talking
from tests.deploy.test_alerts import run

pytestmark = pytest.mark.servers

CHANNEL = "<!channel> & <script>alert(1)</script>"
ESCAPED = "&lt;!channel&gt; &amp; &lt;script&gt;alert(1)&lt;/script&gt;"
# What was sent, and what is shown of it.
HOSTILE = {
    CHANNEL: ESCAPED,
    "*bold* _it_ ~no~ `code` ```block```": "*bold* _it_ ~no~ `code` ```block```",
    "two\nlines\r\nand\u2028three\x85four\x00five": "two lines and three four five",
    "x" * 10_000: f"{'x' * 80}…",
    "<" * 10_000: f"{'&lt;' * 80}…",
    "&" * 10_000: f"{'&amp;' * 80}…",
    "\u202eright to left\u2066\u200f\u200b\ufeff": "right to left",
    "<https://evil.example/|go> &lt;!here&gt;": "&lt;https://evil.example/|go&gt; &amp;lt;!here&amp;gt;",
    '{{ template "flatline.title" . }} ${1} \\x': '{{ template "flatline.title" . }} ${1} \\x',
}


async def test_hostile_titles_make_one_harmless_message(tmp_path: Path) -> None:
    """As titles and as the series: each is a line of its own between marks of direction."""
    async with talking(tmp_path) as talk:
        titles = enumerate(HOSTILE)
        await talk.tell(
            *(alert("ArticleSilent", title, article=f"a/{i}", series=CHANNEL, tier="1") for i, title in titles)
        )
        message = await talk.received()
    assert message["title"] == f"9 articles of \u2068{ESCAPED}\u2069 stopped gaining links"
    assert message["fallback"] == message["title"]
    assert set(message["mrkdwn_in"]).isdisjoint({"text", "fallback", "fields"})
    assert message["text"].rstrip("\n").split("\n") == [
        f"• \u2068{shown}\u2069: No link for 62 days. Silent since 2026-05-12." for shown in HOSTILE.values()
    ]


async def test_the_longest_message_is_within_limits(tmp_path: Path) -> None:
    """Forty of the worst articles in a series of the worst name, and half of them over: taken as it is."""
    worst = "&" * 10_000
    async with talking(tmp_path) as talk:
        told = [alert("ArticleSilent", worst, article=f"a/{i}", series=worst, tier="1") for i in range(40)]
        for each in told:
            each["annotations"]["description"] = "&" * 1_000
        await talk.tell(*told)
        message = await talk.received()
        assert message["actions"][2]["url"].endswith("/snooze")  # no filter: a button's address has its limit
        assert message["text"].count("•") == 10

        ended = {"series": worst, "tier": "1", "ended": "ArticleQualityGone"}
        await talk.tell(*(alert("ArticleAlertEnded", worst, article=f"a/{i}", **ended) for i in range(20)))
        assert "… and 10 more" in (await talk.received())["text"]


async def test_the_silence_of_a_hostile_series_is_one(tmp_path: Path) -> None:
    """Alertmanager's own tool, given what the button fills in, silences just the alert that the message is on."""
    hostile = ["no-break\u00a0space", "zero\u200bwidth", "\u202eturned", "two\nlines", "a\tb", "\x07"]
    hostile.append('Q&A: "why" + how\\')
    async with talking(tmp_path) as talk:
        amtool = (programs.AMTOOL.required(), f"--alertmanager.url=http://{talk.address}")
        for i, series in enumerate(hostile):
            await talk.tell(alert("ArticleSilent", "T", article=f"a/{i}", series=series, tier="1"))
            query = urlsplit((await talk.received())["actions"][2]["url"]).query
            (matchers,) = parse_qs(query)["filter"]
            assert labels_in(matchers)["series"] == series
            name, of_series = matchers[1:-1].split(",", 1)
            run(*amtool, "silence", "add", "--author=test", "--comment=test", name, of_series)
            silenced = json.loads(run(*amtool, "alert", "query", "--silenced", "--output=json"))
            assert {each["labels"]["series"] for each in silenced} == set(hostile[: i + 1])


async def test_a_single_hostile_article(tmp_path: Path) -> None:
    """Its title stands in the message's title, and its address behind it."""
    async with talking(tmp_path) as talk:
        await talk.tell(alert("ArticleMassLoss", CHANNEL, article="a.example/%3Cb%3E", tier="2"))
        message = await talk.received()
    assert message["title"] == f"An article lost many links at once: \u2068{ESCAPED}\u2069"
    assert message["title_link"] == "https://a.example/%3Cb%3E"
