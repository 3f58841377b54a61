"""robots.txt and the pauses: what hosts may expect of the fetcher."""

import asyncio
import re
from pathlib import Path

import pytest

from flatline_connectors import fetching
from flatline_connectors.fetching.outcomes import Action, Failed, Outcome, of_status
from flatline_connectors.fetching.pacing import HostPacing
from tests.connectors.fetching.hostile import Asked, FakeTime, Names, Server, fetcher, saying, serving

HTML = "Content-Type: text/html"
RULES = b"""User-agent: *
Disallow: /

User-agent: flatline
Disallow: /private
Disallow: /*.pdf$
Allow: /private/but
Crawl-delay: 7
"""


async def ends(server: Server, *paths: str) -> list[Outcome]:
    """Fetch paths, each of which has a page, and return how that ended."""
    server.scripts |= {path: saying(HTML, body=b"x") for path in paths}
    async with fetcher() as opened:
        return [(await opened.fetch(server.url(path))).outcome for path in paths]


async def test_rules() -> None:
    """Our own group counts alone, the longest match wins, wildcards are known; what is forbidden isn't asked."""
    async with serving() as server:
        server.says("/robots.txt", body=RULES)
        paths = ["/", "/private", "/private/but", "/a.pdf", "/a.pdf.html"]
        assert await ends(server, *paths) == [
            Outcome.FETCHED,
            Outcome.ROBOTS_DISALLOWED,
            Outcome.FETCHED,
            Outcome.ROBOTS_DISALLOWED,
            Outcome.FETCHED,
        ]
        assert [asked.path for asked in server.asked] == ["/robots.txt", "/", "/private/but", "/a.pdf.html"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (404, Outcome.FETCHED),
        (401, Outcome.FETCHED),
        (403, Outcome.FETCHED),
        (410, Outcome.FETCHED),
        (418, Outcome.FETCHED),
        (429, Outcome.ROBOTS_UNREACHABLE),
        (500, Outcome.ROBOTS_UNREACHABLE),
        (503, Outcome.ROBOTS_UNREACHABLE),
        (204, Outcome.ROBOTS_UNREACHABLE),
    ],
)
async def test_statuses_of_robots_txt(status: int, expected: Outcome) -> None:
    """A file that is not there forbids nothing; one that can't be had forbids all, for now."""
    async with serving() as server:
        server.says("/robots.txt", status=status)
        assert await ends(server, "/") == [expected]


@pytest.mark.parametrize(
    "body", [b"\xff\xfe\x00garbage", b"<html>404</html>", b"\xef\xbb\xbfUser-agent: *\nDisallow:", b""]
)
async def test_broken_robots_txt(body: bytes) -> None:
    """What is no rule forbids nothing."""
    async with serving() as server:
        server.says("/robots.txt", body=body)
        assert await ends(server, "/") == [Outcome.FETCHED]


async def test_a_byte_order_mark_hides_no_rule() -> None:
    """The first line counts, whatever stands before it."""
    async with serving() as server:
        server.says("/robots.txt", body=b"\xef\xbb\xbfUser-agent: *\nDisallow: /")
        assert await ends(server, "/") == [Outcome.ROBOTS_DISALLOWED]


async def test_redirected_robots_txt() -> None:
    """Five redirects are followed, with the same care as for pages; the rules are the first host's."""
    async with serving() as server:
        for number in range(5):
            server.says("/robots.txt" if not number else f"/{number}", f"Location: /{number + 1}", status=302)
        server.says("/5", body=b"User-agent: *\nDisallow: /x")
        assert await ends(server, "/x", "/y") == [Outcome.ROBOTS_DISALLOWED, Outcome.FETCHED]
        server.says("/robots.txt", "Location: http://127.0.0.1:1/", status=302)
        assert await ends(server, "/y") == [Outcome.FORBIDDEN_ADDRESS]


async def test_each_hop_asks_its_own_host() -> None:
    """A redirect to a host that wants no visitors ends there."""

    async def of_host(asked: Asked, writer: asyncio.StreamWriter) -> None:
        is_shut = asked.headers["host"].startswith("shut.example")
        await saying(body=b"User-agent: *\nDisallow: /" if is_shut else b"")(asked, writer)

    async with serving() as server, fetcher() as opened:
        server.scripts["/robots.txt"] = of_host
        server.says("/", f"Location: {server.url('/there', 'shut.example')}", status=302)
        page = await opened.fetch(server.url("/"))
    assert page.outcome is Outcome.ROBOTS_DISALLOWED
    assert server.paths == ["/"]


async def test_robots_txt_is_remembered_for_a_day() -> None:
    """It is asked for once, and again after a day; one that could not be had, after ten minutes."""
    time = FakeTime()
    async with serving() as server, fetcher(time=time) as opened:
        server.says("/", HTML, body=b"x")
        server.says("/robots.txt", status=503)

        async def asked_again() -> bool:
            before = len(server.asked)
            await opened.fetch(server.url("/"))
            return "/robots.txt" in [asked.path for asked in server.asked[before:]]

        assert await asked_again()
        assert not await asked_again()
        time.now_s += 600
        server.says("/robots.txt")
        assert await asked_again()
        time.now_s += 86_000
        assert not await asked_again()
        time.now_s += 500
        assert await asked_again()


async def test_pauses() -> None:
    """Two seconds pass between requests to a host, robots.txt included; another host is asked at once."""
    time = FakeTime()
    async with serving() as server, fetcher(time=time) as opened:
        server.says("/", HTML, body=b"x")
        await opened.fetch(server.url("/"))
        assert time.slept == [2.0]
        await opened.fetch(server.url("/", "other.example"))
        assert time.slept == [2.0, 2.0]  # the other host's robots.txt at once, its page after that
        await opened.fetch(server.url("/"))
        assert time.slept == [2.0, 2.0]


async def test_crawl_delay() -> None:
    """A longer pause is kept where robots.txt asks for one."""
    time = FakeTime()
    async with serving() as server, fetcher(time=time) as opened:
        server.says("/robots.txt", body=RULES)
        server.says("/", HTML, body=b"x")
        await opened.fetch(server.url("/"))
        await opened.fetch(server.url("/"))
    assert time.slept == [2.0, 7.0]


async def test_one_request_a_host_at_a_time() -> None:
    """Fetches that are begun together go to a host one after the other."""
    running: list[int] = [0, 0]

    async def counting(asked: Asked, writer: asyncio.StreamWriter) -> None:
        running[0] += 1
        running[1] = max(running)
        await asyncio.sleep(0.02)
        await saying(HTML, body=b"x")(asked, writer)
        running[0] -= 1

    async with serving() as server, fetcher() as opened:
        server.scripts |= {f"/{number}": counting for number in range(5)}
        pages = await asyncio.gather(*(opened.fetch(server.url(f"/{number}")) for number in range(5)))
    assert [page.outcome for page in pages] == [Outcome.FETCHED] * 5
    assert running[1] == 1
    assert len(server.asked) == 6  # robots.txt was asked for once


async def test_hosts_are_forgotten() -> None:
    """Asking many hosts takes no more and more memory."""
    time = FakeTime()
    pacing = HostPacing(time.timing)
    for number in range(3_000):
        time.now_s += 1
        async with pacing.turn(f"{number}.example"):
            pass
    assert len(pacing._hosts) <= 1_000


def test_every_outcome_has_an_action() -> None:
    """The table is finite and complete: any status, and any outcome, says what to do."""
    assert all(isinstance(outcome.action, Action) for outcome in Outcome)
    assert {of_status(status).action for status in range(1_000)} == {
        Action.USE,
        Action.RETRY,
        Action.WAIT,
        Action.SKIP,
        Action.STOP,
    }
    assert of_status(418) is Outcome.REFUSED
    assert of_status(599) is Outcome.SERVER_ERROR
    assert of_status(299) is Outcome.BROKEN
    assert str(Failed(Outcome.GONE, "why")) == "gone: why"


async def test_one_resolution_a_request() -> None:
    """A name is resolved once a request: the address that was checked is the one that is used."""
    names = Names()
    async with serving() as server, fetcher(names) as opened:
        server.says("/", HTML, body=b"x")
        await opened.fetch(server.url("/"))
    assert len(names.asked) == len(server.asked) == 2


def test_the_readme_has_the_table() -> None:
    """Each action's row in the README names its outcomes."""
    readme = (Path(fetching.__path__[0]) / "README.md").read_text()
    rows = re.findall(r"^\| `(\w+)`.*? \| (`.*`) \|$", readme, re.MULTILINE)
    assert {action: set(re.findall(r"`(\w+)`", outcomes)) for action, outcomes in rows} == {
        action.value: {outcome.value for outcome in Outcome if outcome.action is action} for action in Action
    }


async def test_robots_txt_is_for_crawlers() -> None:
    """The host of an interface for programs is not asked for it, and one that it redirects to is."""
    async with serving() as server, serving() as other:
        other.says("/robots.txt", body=b"User-agent: *\nDisallow: /")
        server.says("/robots.txt", body=b"User-agent: *\nDisallow: /")
        server.says("/api", HTML, body=b"x")
        server.says("/moved", f"Location: {other.url('/page', 'other.example')}", status=302)
        async with fetcher() as opened:
            ends = [(await opened.fetch(server.url(path), is_api=True)).outcome for path in ("/api", "/moved")]
        assert ends == [Outcome.FETCHED, Outcome.ROBOTS_DISALLOWED]
        assert [asked.path for asked in server.asked] == ["/api", "/moved"]
