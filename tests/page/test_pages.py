"""Each page over a simulated history, as HTML."""

import re
from collections import Counter
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

import flatline
from flatline.backtest.histories import Histories
from flatline.backtest.replay import replay
from flatline.domain.learned.hazard import Hazard
from flatline.domain.policy.policy import Policy
from flatline.domain.policy.thresholds import Thresholds
from flatline.page.looked import COOKIE
from flatline.policy_file import PolicyFile, load_policy
from flatline.readmodel.policy_lab import PolicyLab, ThresholdsMoved
from flatline.schema.verdict import State
from tests.page.portfolio import HOSTILE, HOSTILE_ARTICLE, NOW_MS, Portfolio

pytestmark = pytest.mark.long

PAGES = (
    "/",
    "/articles",
    "/articles?q=time&sort=gained",
    f"/article?url={HOSTILE_ARTICLE}",
    "/groups",
    "/groups?cohorts=month",
    "/groups?authority=series/%7B%7B+7+*+7+%7D%7D",
    "/peers",
    "/alerts",
    "/lost",
    "/sources",
    "/live",
    "/live?kind=group",
    "/policy",
    "/policy?silent_score=0.4&silent_gaps=1",
    "/policy?silent_score=%3Cscript%3E",
    "/runbook",
    "/article?url=%3Cscript%3E",
)
DAY_MS = 86_400_000


class Line(NamedTuple):
    """A line of a file."""

    number: int
    value: bytes


class Markup(HTMLParser):
    """What a browser would make of a page: its elements with their attributes, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += f"{data} "


async def read(app: web.Application, path: str, **how: Any) -> tuple[Any, Markup]:
    """Return the answer and its markup."""
    async with TestClient(TestServer(app)) as client:
        answer = await client.get(path, **how)
        markup = Markup()
        markup.feed(await answer.text())
        return answer, markup


@pytest.mark.parametrize("path", PAGES)
async def test_no_text_of_others_becomes_markup(page: web.Application, path: str) -> None:
    """No script but ours runs, nothing is loaded from elsewhere, and links lead to web pages."""
    answer, markup = await read(page, path)
    assert answer.status == (404 if "url=%3C" in path else 200)
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
    for tag, attributes in markup.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        assert tag not in {"img", "iframe", "object", "embed", "base", "style"}
        if tag == "script":
            assert (attributes.get("src") or "/static/").startswith("/static/")
            assert attributes.get("type", "application/json") == "application/json"
        if tag == "a":
            href = attributes["href"] or ""
            if not href.startswith(("/", "#")):
                assert re.match(r"https?://", href)
                assert {"noopener", "noreferrer", "nofollow"} <= set((attributes["rel"] or "").split())


async def test_texts_of_others_are_shown_as_they_are(page: web.Application) -> None:
    """Neither HTML nor templates in them are evaluated."""
    _, markup = await read(page, f"/article?url={HOSTILE_ARTICLE}")
    for text in (HOSTILE[0], HOSTILE[1], HOSTILE[2], HOSTILE[3]):
        assert text in markup.text
    assert "49" not in markup.text.split("{{")[1][:10]


async def test_counts_are_those_of_the_verdicts(page: web.Application, known: Portfolio) -> None:
    """Counted from the verdicts by themselves."""
    newest = {}
    for value in known.verdicts:
        verdict = orjson.loads(value)
        newest[verdict["article"]] = verdict["state"]
    states = Counter(newest.values())
    _, markup = await read(page, "/")
    text = " ".join(markup.text.split())
    assert f"{len(newest)} articles watched" in text
    assert f" {states['silent']} silent {states['cooling']} cooling" in text
    for state in ("silent", "cooling", "steady"):
        _, listed = await read(page, f"/articles?state={state}")
        assert f"{states[state]:,} article" in listed.text


async def test_an_article_has_the_links_that_were_reported(page: web.Application, known: Portfolio) -> None:
    """Counted from the events by themselves: distinct referring pages of one article."""
    pages: dict[str, set[str]] = {}
    for line in known.events:
        event = orjson.loads(line)
        if event.get("change", "gained") == "gained":
            pages.setdefault(flatline.canonical_url(event["url_to"]), set()).add(event["url_from"])
    article, links = max(pages.items(), key=lambda each: len(each[1]))
    _, markup = await read(page, "/article", params={"url": article})
    assert f"{len(links):,} links ever gained" in " ".join(markup.text.split())


async def test_any_spelling_leads_to_the_article(page: web.Application) -> None:
    """Scheme, case, tracking parameters and fragment make no difference."""
    answer, markup = await read(page, "/article", params={"url": "HTTP://www.notes.example/hostile/?utm_source=x#y"})
    assert answer.status == 200
    assert HOSTILE[0] in markup.text


async def test_pages_of_a_list_have_each_article_once(page: web.Application, known: Portfolio) -> None:
    """Whatever it is sorted by."""
    articles = {orjson.loads(value)["article"] for value in known.verdicts}
    for sort in ("attention", "probability", "article", "gained"):
        path: str | None = f"/articles?sort={sort}"
        seen: list[str] = []
        while path:
            _, markup = await read(page, path)
            hrefs = [attributes["href"] or "" for tag, attributes in markup.elements if tag == "a"]
            seen += [href for href in hrefs if href.startswith("/article?")]
            path = next((a["href"] for tag, a in markup.elements if tag == "a" and a.get("rel") == "next"), None)
        assert len(seen) == len(set(seen)) == len(articles)


async def test_a_fragment_has_the_rows_of_its_page(page: web.Application) -> None:
    """Caches are told that they differ."""
    answer, whole = await read(page, "/articles?state=cooling")
    _, fragment = await read(page, "/articles?state=cooling", headers={"HX-Request": "true"})
    assert "HX-Request" in answer.headers["Vary"]

    def rows(markup: Markup) -> list[dict[str, str | None]]:
        return [a for tag, a in markup.elements if tag == "a" and (a["href"] or "").startswith("/article?")]

    assert rows(fragment) == rows(whole) != []
    assert "html" in {tag for tag, _ in whole.elements} - {tag for tag, _ in fragment.elements}


async def test_what_is_new_since_a_reader_looked(page: web.Application, known: Portfolio) -> None:
    """A new reader sees no news; a later one those articles whose state is younger than the last look."""
    answer, markup = await read(page, "/")
    assert "New since" not in markup.text
    assert COOKIE in answer.cookies
    looked_ms = NOW_MS - 40 * DAY_MS
    newest = {each["article"]: each for each in map(orjson.loads, known.verdicts)}
    changed = [
        each
        for each in newest.values()
        if each["state"] in ("silent", "cooling", "revived") and _ms(each["since"]) > looked_ms
    ]
    assert changed
    async with TestClient(TestServer(page)) as client:
        client.session.cookie_jar.update_cookies({COOKIE: f".{looked_ms}"})
        text = " ".join(re.sub(r"<[^>]+>", " ", await (await client.get("/")).text()).split())
    assert "New since you last looked" in text
    assert f"{min(len(changed), 30)} article" in text


def _ms(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp() * 1_000)


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/vendor/../../app.py", "/static/%2e%2e/app.py", "/static/x/page.css"]
)
async def test_files_of_the_page_alone_are_served(page: web.Application, path: str) -> None:
    """No path leads out of the two folders."""
    answer, _ = await read(page, path)
    assert answer.status == 404


async def test_alerts_lead_to_headings_of_the_runbook(page: web.Application) -> None:
    """By the names of the alerts."""
    _, markup = await read(page, "/runbook")
    anchors = {attributes.get("id") for _, attributes in markup.elements}
    assert {"articlesilent", "sourcestale", "groupundercurve", "workerdown"} <= anchors


async def test_the_policy_lab_says_what_a_replay_of_the_events_says(page: web.Application, known: Portfolio) -> None:
    """Of the last two years, with other thresholds and those in force beside each other."""
    histories, end_day = Histories(), NOW_MS // DAY_MS - 1
    histories.read_links("", [Line(number, line) for number, line in enumerate(known.events)], recorded_ms=NOW_MS)
    expected: dict[float, set[tuple[str, int, str]]] = {}
    for score in (0.6, 0.45):
        policy = Policy(Thresholds(silent_score=score))
        expected[score] = {
            (alert.key.decode(), alert.day, str(alert.ending))
            for history in histories
            for alert in replay(history, policy, link_days=history.link_days(), end_day=end_day)
            if alert.kind is State.SILENT and alert.day > end_day - 730
        }
    with known.database.reading() as tables:
        trial = PolicyLab(PolicyFile(), Hazard()).trial(tables, ThresholdsMoved(silent_score=0.45), now_ms=NOW_MS)
    for score, name in ((0.6, "in_force"), (0.45, "tried")):
        alerts = [(each.article, getattr(each, name)) for each in trial.pauses]
        assert (
            {
                (article, (alert.alerted_on - date(1970, 1, 1)).days, str(alert.ending))
                for article, alert in alerts
                if alert
            }
            == expected[score]
            != set()
        )
    assert len(expected[0.45]) > len(expected[0.6])
    _, markup = await read(page, "/policy?silent_score=0.45")
    assert f" These thresholds {len(expected[0.45])} " in " ".join(markup.text.split())


async def test_a_policy_that_was_tried_can_be_downloaded(page: web.Application, tmp_path: Path) -> None:
    """A worker reads the file; thresholds in the wrong order are told, and give none."""
    async with TestClient(TestServer(page)) as client:
        answer = await client.get("/policy/file?silent_score=0.45&link_days_min=7")
        (tmp_path / "policy.toml").write_bytes(await answer.read())
        assert "attachment" in answer.headers["Content-Disposition"]
        assert load_policy(tmp_path / "policy.toml").default == Thresholds(silent_score=0.45, link_days_min=7)
        assert (await client.get("/policy/file?silent_score=0.2")).status == 400
        assert "must be below silent_score (0.2)" in await (await client.get("/policy?silent_score=0.2")).text()
