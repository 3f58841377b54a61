"""What one look says: every case of the samples through the real fetcher, and what pages do that look alike."""

import asyncio
import json
import socket
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from flatline_connectors.fetching.fetcher import Limits
from flatline_connectors.fetching.outcomes import Fetched, Outcome, of_status
from flatline_connectors.recheck.judging import Judgement, judge
from flatline_connectors.sites import on_sites
from tests.connectors.fetching.hostile import Names, fetcher, serving
from tests.samples import SAMPLES, with_samples
from tests.waiting import PATIENCE_S

CASES_FILE = SAMPLES / "recheck_cases.json"
CASES: list[dict[str, Any]] = json.loads(CASES_FILE.read_text()) if CASES_FILE.exists() else []
TARGET = "https://pub.example/guides/slow-tomatoes"
PAGE = "https://a.example/post"
OURS = on_sites(["pub.example"])
HTML = "Content-Type: text/html; charset=utf-8"
PROSE = "<p>" + "Slow tomatoes need some more time. " * 20 + "</p>"
OTHER_LINK = "<a href='https://other.example/'>other</a>"
LINK = f"<a href='{TARGET}'>guide</a>"
# The first word of a case's verdict, and the reason that it ends with.
EXPECTED = {
    "live": ("live", ""),
    "live, flagged noindex": ("live", ""),
    "live, flagged not_canonical": ("live", ""),
    "live, rel changed": ("live", ""),
    "lost/page_gone at once": ("gone", "page_gone"),
    "suspect -> lost/removed after a second read": ("missing", "removed"),
    "suspect -> lost/page_gone after confirmation": ("missing", "page_gone"),
    "suspect -> lost/page_gone": ("missing", "page_gone"),
    "suspect -> lost/domain_gone": ("missing", "domain_gone"),
    "suspect -> lost/domain_gone after 3 in 9 days": ("missing", "domain_gone"),
    "suspect -> lost/page_redirected": ("missing", "page_redirected"),
    "suspect -> lost/retargeted": ("missing", "retargeted"),
    "unknown": ("unknown", None),
    "unknown, back off 120 s": ("unknown", "rate_limited"),
    "not fetched, unknown": ("unknown", "robots"),
}


def page(html: str, url: str = PAGE, *, status: int = 200, **headers: str) -> Fetched:
    """Return a page as the fetcher does."""
    named = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    return Fetched(of_status(status), url, status=status, body=html.encode(), content_type="text/html", headers=named)


def judged(html: str, url: str = PAGE, **headers: str) -> Judgement:
    """Judge a page that was asked for at PAGE."""
    return judge(page(html, url, **headers), PAGE, [TARGET], is_ours=OURS)


@with_samples
@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
async def test_the_sampled_cases(case: dict[str, Any]) -> None:
    """A server answers as the case says, and the fetcher's answer is judged as it says, too."""
    names = Names({"a.example": [[]]}) if case.get("error") == "nxdomain" else Names()
    limits = Limits(connect_s=PATIENCE_S, total_s=0.2) if case.get("error") == "timeout" else None
    async with serving() as server, fetcher(names, limits=limits) as fetching:
        headers = [f"{name}: {value}" for name, value in case.get("headers", {}).items()]
        path = "/post"
        if case.get("final_url"):
            server.says("/post", f"Location: {server.url('/', 'a.example')}", status=302)
            path = "/"
        if case.get("error") == "timeout":
            server.scripts["/post"] = _silence
        else:
            body = case.get("html", "").encode()
            server.says(path, HTML, *headers, body=body, status=case.get("status", 200))
        if case.get("robots"):
            server.says("/robots.txt", "Content-Type: text/plain", body=f"User-agent: *\n{case['robots']}".encode())
        url = server.url("/post", "a.example")
        found = judge(await fetching.fetch(url), url, [TARGET], is_ours=OURS)
    sight, why = EXPECTED[case["verdict"]]
    assert found.sight == sight
    assert why is None or found.why == why
    if case.get("robots"):
        assert server.paths == []
    if "back off" in case["verdict"]:
        assert found.retry_after_s == 120
    assert found.flags == tuple(word for word in ("noindex", "not_canonical") if word in case["verdict"])
    if case["verdict"] == "live, rel changed":
        assert found.link is not None
        assert found.link.rel == ("nofollow",)
    if found.why == "retargeted":
        assert list(found.others) == ["https://pub.example/"]


async def _silence(_: object, __: object) -> None:
    await asyncio.Event().wait()


class NoResolver(AbstractResolver):
    """A resolver that does not get through to anybody."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> Any:  # noqa: ARG002 - aiohttp's
        """Fail as getaddrinfo does then."""
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_resolver_that_is_away_says_nothing_of_a_domain() -> None:
    """Only one that answers that there is no such name does."""
    async with fetcher(NoResolver()) as fetching:  # type: ignore[arg-type] # another resolver
        away = await fetching.fetch(PAGE)
    assert (away.outcome, judge(away, PAGE, [TARGET]).sight) == (Outcome.UNREACHABLE, "unknown")


@pytest.mark.parametrize("html", [
    f"{LINK} <title>Just a moment...</title>",
    f"<div id='root'></div><script></script>{LINK}",
    f"<title>404</title>{LINK}",
    f"<p>This domain is for sale</p>{LINK}",
    "<base href='https://pub.example/guides/'><a href='slow-tomatoes?utm_source=x'>g</a>",
    "<a href='http://www.pub.example/guides/slow-tomatoes/#top'>g</a>",
])  # fmt: skip
def test_a_link_that_is_there_is_live(html: str) -> None:
    """Whatever else the page looks like, and however the address is spelled."""
    assert judged(html).sight == "live"


@pytest.mark.parametrize(("html", "sight", "why"), [
    (f"{PROSE}<a href='/x'>x</a><!-- {LINK} --><script>'{LINK}'</script>", "missing", "removed"),
    (f"{PROSE}<a href='/x'>x</a><template>{LINK}</template>", "missing", "removed"),
    (f"<title>Fruit</title>{PROSE * 40}<div class='g-recaptcha'></div>{OTHER_LINK}", "missing", "removed"),
    ("<p>Please verify you are a human</p><div class='g-recaptcha'></div>", "unknown", "wall"),
    (f"<title>Sign in to continue reading</title>{OTHER_LINK}", "unknown", "wall"),
    (f"<div id='__next'></div><noscript>Enable JavaScript</noscript>{OTHER_LINK}", "unknown", "javascript"),
    ("<body><noscript>You need to enable JavaScript to run this app.</noscript>", "unknown", "javascript"),
    ("", "unknown", "thin"),
    ("<p>A few words.</p><a href='/home'>home</a>", "unknown", "thin"),
    (f"<h1>Seite nicht gefunden</h1>{PROSE}{OTHER_LINK}", "missing", "page_gone"),
    (f"<h1>What is new in HTTP 404 handling</h1>{PROSE * 5}{OTHER_LINK}", "missing", "removed"),
    (f"<p>We sold this domain is for sale stickers.</p>{PROSE * 5}{OTHER_LINK}", "missing", "removed"),
])  # fmt: skip
def test_pages_that_look_alike(html: str, sight: str, why: str) -> None:
    """Marks of walls count on small pages, those of other things on pages with little else."""
    assert (judged(html).sight, judged(html).why) == (sight, why)


@pytest.mark.parametrize(("url", "sight", "why"), [
    ("https://a.example/", "missing", "page_redirected"),
    ("https://a.example/en/", "missing", "page_redirected"),
    ("https://other.example/post", "missing", "page_redirected"),
    ("https://consent.other.example/post", "unknown", "wall"),
    ("https://a.example/login?next=/post", "unknown", "wall"),
    ("https://blog.a.example/2026/post", "missing", "removed"),
    ("http://www.a.example/post/", "missing", "removed"),
])  # fmt: skip
def test_where_a_page_leads(url: str, sight: str, why: str) -> None:
    """To its front page or another site it is gone; a login or a consent says nothing of it."""
    found = judged(f"{PROSE}{OTHER_LINK}", url)
    assert (found.sight, found.why) == (sight, why)


@pytest.mark.parametrize("outcome", [each for each in Outcome if each not in {Outcome.FETCHED, Outcome.NOT_MODIFIED}])
def test_only_three_outcomes_of_a_fetch_say_that_a_link_may_be_gone(outcome: Outcome) -> None:
    """404, 410 and a name that does not exist."""
    found = judge(Fetched(outcome, PAGE), PAGE, [TARGET])
    expected = {Outcome.GONE: "gone", Outcome.NOT_FOUND: "missing", Outcome.UNKNOWN_HOST: "missing"}
    assert found.sight == expected.get(outcome, "unknown")
    assert judge(Fetched(outcome, "https://gone.example/"), PAGE, [TARGET]).sight == (
        "unknown" if outcome is Outcome.UNKNOWN_HOST else found.sight
    )


@given(status=st.integers(100, 599).filter(lambda status: status not in (200, 203, 404, 410)), html=st.text())
def test_no_other_status_is_a_loss(status: int, html: str) -> None:
    """Whatever the page shows."""
    assert judge(page(html, status=status), PAGE, [TARGET]).sight in ("unknown", "live")


def test_what_is_read_of_a_link_that_is_there() -> None:
    """Of several to one target: followed if one is, the first text, the best place."""
    found = judged(
        "<html lang='en-GB'><head><title>T</title><meta name='author' content='Ann'>"
        "<meta property='og:type' content='article'>"
        "<meta property='article:published_time' content='2026-01-02'></head>"
        f"<nav><a rel='nofollow' href='{TARGET}'>menu</a></nav><article><h1>Fruit</h1>"
        f"<p>We liked <b>{LINK}</b> a lot.</p></article></html>",
    )
    assert found.link is not None
    assert found.about is not None
    link, about = found.link, found.about
    assert (link.anchor, link.rel, link.context, link.placement) == ("menu", (), "We liked guide a lot.", "content")
    assert (about.title, about.author, about.type, about.language) == ("Fruit", "Ann", "article", "en-GB")
    assert about.published_at is not None


@pytest.mark.parametrize(("before", "after", "placement"), [
    ("<footer><p>", "</p></footer>", "footer"),
    ("<div id='comments'><article>", "</article></div>", "comment"),
    ("<div class='widget'>", "</div>", "sidebar"),
    ("<main><nav>", "</nav></main>", "nav"),
    ("<p>", "</p>", None),
])  # fmt: skip
def test_where_on_the_page_a_link_stands(before: str, after: str, placement: str | None) -> None:
    """The nearest element that says it counts; comments count wherever they say it."""
    found = judged(f"<meta name='robots' content='index, nofollow'>{before}{LINK}{after}")
    assert found.link is not None
    assert (found.link.placement, found.link.rel, found.link.context) == (placement, ("nofollow",), "")


@given(
    html=st.text()
    | st.lists(st.sampled_from(["<a href=", LINK, "<p>", "<div id=root>", "\0", "]]>", "404"])).map("".join)
)
def test_any_page_is_judged(html: str) -> None:
    """Nothing that a page may hold raises."""
    assert judged(html).sight in ("live", "missing", "unknown")
