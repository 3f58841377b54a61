"""Captures of pages: what their links are, however the file is cut, and that nothing damaged stops the rest."""

import asyncio
import gzip
import json
import random
from pathlib import Path

import pytest
from fastwarc.warc import WarcRecordType
from hypothesis import given, settings
from hypothesis import strategies as st

from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Rejected
from flatline_connectors.common_crawl import connector
from flatline_connectors.common_crawl.captures import WantedLinks
from flatline_connectors.common_crawl.connector import KIND, CommonCrawlOptions
from flatline_connectors.common_crawl.members import read_piece
from flatline_connectors.runtime.connector import FoundRecord, Resources
from flatline_connectors.sites import on_sites
from tests.connectors.common_crawl.made import CAPTURED_AT, captured, member, response, to
from tests.connectors.runtime.worlds.fetching import NoFetcher

WANTED = WantedLinks(frozenset({b"yours.example"}), on_sites(["yours.example"]))
PAGE = "https://notes.example/posts/one"


def read_all(file: bytes) -> tuple[list[LinkEvent], list[Rejected]]:
    """Read a file that is at hand as a whole."""
    found: list[LinkEvent] = []
    rejected: list[Rejected] = []
    while file:
        piece = read_piece(file, WANTED, is_last=True)
        for record in piece.records:
            rejected += [record.found] if isinstance(record.found, Rejected) else []
            found += record.found if isinstance(record.found, list) else []
        file = file[piece.size :]
    return found, rejected


def test_a_wat_record_tells_links_as_a_browser_would_find_them() -> None:
    """Relative ones from the page's base, several to one target as one; no images; with time, text, rel and title."""
    links = [
        to("a?x=1", rel="NoFollow ugc", text=" first \n text "),
        to("https://YOURS.example/a?x=1", "AREA@/href", rel="ugc"),
        to("//yours.example/b"),
        {"path": "A@/href", "href": "https://blog.yours.example/"},
        to("https://yours.example/image.png", "IMG@/src"),
        to("https://yours.example.other.example/"),
        {"path": "A@/href", "url": ["https://yours.example/no-text"]},
    ]
    file = captured(PAGE, links, head={"Base": "https://yours.example/base", "Title": " The\ntitle "})
    found, rejected = read_all(file)
    assert not rejected
    assert [(event.url_to, event.anchor, event.rel) for event in found] == [
        ("https://yours.example/a?x=1", "first text", ["ugc"]),
        ("https://yours.example/b", None, []),
        ("https://blog.yours.example/", None, []),
    ]
    assert {(event.url_from, event.observed_at, event.occurred_at, event.discovery) for event in found} == {
        (PAGE, CAPTURED_AT, None, "import")
    }
    assert all(event.page is not None and event.page.title == "The title" for event in found)


def test_a_warc_record_tells_the_links_of_its_page() -> None:
    """Only pages in HTML that were answered with 200, in the encoding that the answer names."""
    html = '<base href="//yours.example/"><title>T</title><a rel=nofollow href="/a">caf\u00e9</a><!-- <a href="/b"> -->'
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html; Charset=x; charset=iso-8859-1\r\n\r\n"
    latin = member(WarcRecordType.response, PAGE, head + html.encode("latin-1"), "application/http; msgtype=response")
    others = [
        response(PAGE, html, status="404 Not Found"),
        response(PAGE, html, media_type="text/plain"),
        member(WarcRecordType.request, PAGE, b"GET / HTTP/1.1\r\nHost: yours.example\r\n\r\n", "application/http"),
    ]
    found, rejected = read_all(b"".join([*others, latin]))
    assert not rejected
    assert [(event.url_to, event.anchor, event.rel) for event in found] == [
        ("https://yours.example/a", "caf\u00e9", ["nofollow"])
    ]


@pytest.mark.parametrize("status", ["301", "404", "503"])
def test_what_was_no_page_has_no_links(status: str) -> None:
    """An error page that links to us is no page that does."""
    assert read_all(captured(PAGE, [to("https://yours.example/a")], status=status)) == ([], [])


def test_broken_json_and_damage_are_told_and_the_rest_is_read() -> None:
    """Three of six records can't be read; the file ends in the middle of the last one."""
    good = [captured(f"{PAGE}/{number}", [to("https://yours.example/a")]) for number in range(3)]
    broken = member(WarcRecordType.metadata, PAGE, b'{"Envelope": "yours.example', "application/json")
    damaged = good[1][:40] + b"\xff" * 20 + good[1][60:]
    found, rejected = read_all(b"".join([good[0], broken, damaged, good[1], good[2][:-30]]))
    assert [event.url_from for event in found] == [f"{PAGE}/0", f"{PAGE}/1"]
    assert [rejection.reason for rejection in rejected] == ["invalid_json", "invalid_value", "invalid_value"]


def _independently(file: bytes) -> set[tuple[str, str]]:
    """Return pages and links by the standard library alone: all is decompressed, and cut at lines of JSON."""
    lines = [line for line in gzip.decompress(file).split(b"\r\n") if line.startswith(b'{"Envelope"')]
    pairs = set()
    for envelope in (json.loads(line)["Envelope"] for line in lines):
        links = envelope["Payload-Metadata"]["HTTP-Response-Metadata"]["HTML-Metadata"]["Links"]
        page = envelope["WARC-Header-Metadata"]["WARC-Target-URI"]
        pairs |= {(page, link["url"]) for link in links if "//yours.example/" in link["url"]}
    return pairs


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32), piece_bytes=st.integers(1, 4_000))
def test_pieces_of_any_size_give_what_the_whole_file_has(
    tmp_path_factory: pytest.TempPathFactory, seed: int, piece_bytes: int
) -> None:
    """Each poll is made by a new connector, as after a crash; each link comes once."""
    chance = random.Random(seed)
    pages = [
        captured(
            f"{PAGE}/{number}",
            [to(f"https://{chance.choice(['yours', 'theirs'])}.example/{chance.random()}") for _ in range(number % 7)],
        )
        for number in range(30)
    ]
    folder = tmp_path_factory.mktemp("crawl")
    (folder / "a.wat.gz").write_bytes(b"".join(pages))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connector, "PIECE_BYTES", piece_bytes)
        found = asyncio.run(_polled(folder))
    assert len(found) == len(set(found))
    assert set(found) == _independently(b"".join(pages))


async def _polled(folder: Path) -> list[tuple[str, str]]:
    options = CommonCrawlOptions(files=["a.wat.gz"], sites=["yours.example"])
    state, is_complete, found = KIND.state(), False, []
    while not is_complete:
        resources = Resources(NoFetcher(), WANTED.is_ours, folder, folder)
        result = await KIND.open(options, resources).poll(state, CAPTURED_AT)
        for record in result.records:
            assert isinstance(record, FoundRecord)
            event = json.loads(record.value)
            found.append((event["url_from"], event["url_to"]))
        state, is_complete = result.state, result.is_complete
    return found
