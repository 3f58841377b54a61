"""Real crawls by Scrapy of a site on this machine."""

from pathlib import Path
from typing import Any

import pytest

from tests.connectors.scrapy_extension.site import Serving, crawl, serving

pytestmark = pytest.mark.long

A, B = "https://yours.example/a", "https://www.yours.example/b/?utm_source=x"
NEXT = '<a class="next" href="/post">next</a><a class="next" href="/moved">next</a>'
POST = '<title>A  post</title><article><p><a href="{}" rel="UGC nofollow">a <b>guide</b></a></article>'


def links(server: Serving) -> list[tuple[Any, ...]]:
    """Return the events that were pushed, without what is the same in all."""
    events = [event for path, records, _ in server.posted if path == "/v1/links" for event in records]
    return sorted(
        (event["url_from"].partition(f":{server.port}")[2], event.get("change", "gained"), event["url_to"])
        + ((event.get("discovery", "link_found"),) if event.get("change", "gained") == "gained" else ())
        for event in events
    )


def heartbeats(server: Serving) -> list[Any]:
    """Return the heartbeats that were pushed."""
    return [record for path, records, _ in server.posted if path == "/v1/heartbeats" for record in records]


def test_two_crawls(tmp_path: Path) -> None:
    """The first crawl meets pages, the second one only what changed on them; each says how far it came."""
    with serving() as server:
        first = f"http://127.0.0.1:{server.port}/"
        server.pages = {"/": (200, NEXT), "/post": (200, POST.format(A)), "/moved": (200, POST.format(B))}
        crawl(tmp_path, first, server.port, token="secret", more="FLATLINE_PERIOD_S = 86400\n")
        assert links(server) == [
            ("/moved", "gained", "https://yours.example/b", "page_found"),
            ("/post", "gained", "https://yours.example/a", "page_found"),
        ]
        event = next(event for event in server.posted[0][1] if event["url_to"] == A)
        assert (event["anchor"], event["rel"], event["placement"]) == ("a guide", ["nofollow", "ugc"], "content")
        assert event["page"] == {"title": "A post"}
        assert {token for _, _, token in server.posted} == {"Bearer secret"}
        (heartbeat,) = heartbeats(server)
        assert (heartbeat["pages_seen"], heartbeat["errors"], heartbeat["period_s"]) == (3, 0, 86_400.0)
        server.posted.clear()
        server.pages["/post"] = (200, POST.format(A) + POST.format(B))
        server.pages["/moved"] = (404, "")
        crawl(tmp_path, first, server.port)
        assert links(server) == [
            ("/moved", "suspected", "https://yours.example/b"),
            ("/post", "gained", "https://yours.example/b", "link_found"),
        ]
        assert len(heartbeats(server)) == 1


def test_a_crawl_that_did_not_finish_claims_nothing(tmp_path: Path) -> None:
    """What it saw is sent, without a heartbeat."""
    with serving() as server:
        server.pages = {"/": (200, POST.format(A))}
        crawl(tmp_path, f"http://127.0.0.1:{server.port}/", server.port, stop=True)
        assert links(server) == [("/", "gained", A, "page_found")]
        assert heartbeats(server) == []


@pytest.mark.parametrize(("status", "is_sent"), [(503, True), (429, True), (401, False)])
def test_an_ingest_that_does_not_take_it(tmp_path: Path, status: int, is_sent: bool) -> None:
    """Faults that pass are waited for; after others nothing is noted as sent, and the next crawl sends it."""
    with serving() as server:
        server.pages = {"/": (200, POST.format(A))}
        server.answers = [(status, {"Retry-After": "0"})]
        log = crawl(tmp_path, f"http://127.0.0.1:{server.port}/", server.port)
        assert (len(links(server)), len(heartbeats(server))) == (int(is_sent), int(is_sent))
        assert ("not sent any more" in log) is not is_sent
        crawl(tmp_path, f"http://127.0.0.1:{server.port}/", server.port)
        assert links(server) == [("/", "gained", A, "page_found")]


def test_settings_that_are_missing(tmp_path: Path) -> None:
    """Without sites the extension is off, and Scrapy's log says why."""
    with serving() as server:
        log = crawl(tmp_path, f"http://127.0.0.1:{server.port}/", server.port, more="FLATLINE_SITES = []\n")
        assert "FLATLINE_SITES is missing" in log
        assert server.posted == []
