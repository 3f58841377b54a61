"""Every parser of foreign bytes reads them or refuses them with its own error: any bytes, and damaged real samples.

The native core's parser has such a property in `tests.agents.test_native_core`, and Kafka's batches in
`tests.kafka.test_fetched_batches`.
"""

import gzip
import json
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego

import flatline.schema
from flatline.domain.state.article import Article, Header, UnknownFormatError
from flatline.domain.state.segment import Segment
from flatline.schema import codec
from flatline.schema.rejection import Rejected
from flatline_connectors.ahrefs.answers import read_page as read_ahrefs
from flatline_connectors.bing.answers import read_error as read_bing_error
from flatline_connectors.bing.answers import read_linked_pages, read_links
from flatline_connectors.bluesky import posts
from flatline_connectors.dataforseo.answers import read_error as read_dataforseo_error
from flatline_connectors.dataforseo.answers import read_page as read_dataforseo
from flatline_connectors.dataforseo.answers import usd_charged
from flatline_connectors.doi_events.events import read_crossref, read_datacite
from flatline_connectors.errors import ConnectorError
from flatline_connectors.feeds.entries import read_entries
from flatline_connectors.feeds.opml import OpmlError, feeds_of
from flatline_connectors.fetching import bodies
from flatline_connectors.fetching.outcomes import Failed
from flatline_connectors.fetching.robots import Rules
from flatline_connectors.fetching.sse import EventParser
from flatline_connectors.files.exports.errors import UnreadableExport
from flatline_connectors.files.lines import LineFile
from flatline_connectors.files.visits.reading import Options, VisitFiles
from flatline_connectors.files.visits.totals import Sites
from flatline_connectors.git.documents import UnreadableDocument, read_document
from flatline_connectors.hacker_news import items
from flatline_connectors.ingest.answers import Refused
from flatline_connectors.ingest.parsing import decompress, split
from flatline_connectors.majestic.answers import read_error as read_majestic_error
from flatline_connectors.majestic.answers import read_page as read_majestic
from flatline_connectors.moz.answers import read_error as read_moz_error
from flatline_connectors.moz.answers import read_page as read_moz
from flatline_connectors.own_site.listing import NoListing
from flatline_connectors.own_site.parsing import parse
from flatline_connectors.pages.feeds import NoFeed
from flatline_connectors.pages.links import html_text, read_html
from flatline_connectors.semrush.answers import read_page as read_semrush
from flatline_connectors.sending import links, visits
from flatline_connectors.sites import on_sites
from flatline_connectors.vendors.requests import error_in
from flatline_connectors.webmention.links import HtmlPage, link_in_json, link_in_text
from flatline_connectors.webmention.microformats import entry_of
from flatline_connectors.webmention.requests import InvalidMention, addresses_of
from flatline_connectors.webmention_io import mentions
from flatline_connectors.wikimedia import changes
from tests.connectors.exports.reading import read as read_export
from tests.examples import examples
from tests.samples import SAMPLES

EXAMPLES: Final = Path(flatline.schema.__file__).parent / "examples"
URL: Final = "https://pub.example/a"
PAGE: Final = "https://elsewhere.example/p"
NOW: Final = datetime(2026, 11, 27, tzinfo=UTC)
IS_OURS: Final = on_sites(["pub.example"])
WANTED: Final = mentions.Wanted(IS_OURS)


class Parser(NamedTuple):
    """``samples``: what it reads, from which damaged ones are made. ``files``: patterns of further ones in SAMPLES."""

    read: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    samples: Sequence[bytes] = ()
    files: Sequence[str] = ()


def _in_a_file(read: Callable[[Path], object], data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        read(path)


def _visits(path: Path) -> None:
    reading = VisitFiles(Options(NOW.date(), sites=Sites(("pub.example",)), article=URL))
    list(reading.read(LineFile(path)))
    for record in reading.records():
        visits.prepare(record)


def _webmention_source(body: bytes) -> None:
    page = HtmlPage(body, url=PAGE, charset=None)
    assert page.is_gone in {True, False}
    assert page.canonical is None or page.canonical.startswith("http")
    assert isinstance(page.language, str)
    page.link_to(URL)
    entry_of(page, target=URL)


def _webmention_io(body: bytes) -> None:
    for child in mentions.children_of(body):
        mentions.read_mention(child, WANTED, is_history=False, now=NOW)


def _hook(body: bytes) -> None:
    mentions.event_of(mentions.read_notice(body), WANTED, now=NOW)


def _bing(body: bytes) -> None:
    """Read it as either of the two lists; what neither can be ends in the last one's error."""
    with suppress(Rejected):
        read_linked_pages(body)
    links = read_links(body)
    links.beyond({*links.digests}, links_max=1)
    links.body(PAGE)


def _wikimedia(body: bytes) -> None:
    change = changes.read_change(body.decode("utf-8", "replace"))
    changes.events_of(change, is_ours=IS_OURS)
    assert change.meta is not None


def _bluesky(body: bytes) -> None:
    told = posts.read_message(body.decode("utf-8", "replace"))
    assert told.at.tzinfo is not None
    if told.commit is not None:
        posts.links_of(told.commit.record, is_ours=IS_OURS)


def _hacker_news(body: bytes) -> None:
    for hit in items.hits_of(body):
        if isinstance(hit.item, items.Item):
            items.events_of(hit.item, is_ours=IS_OURS, history_until_s=0, now=NOW)


def _sse(body: bytes) -> None:
    """Wherever chunks end, the same is said."""
    parser = EventParser()
    assert [event for at in range(len(body)) for event in parser.feed(body[at : at + 1])] == EventParser().feed(body)


def _robots(body: bytes) -> None:
    rules = Rules(Protego.parse(body.decode("utf-8-sig", "replace")))
    assert math.isfinite(rules.pause_s)
    assert rules.sitemaps is not None
    rules.check(URL)


def _state(low: bytes, value: bytes) -> None:
    Article.decode_part(URL.encode(), low, value)


def _front_matter(suffix: str, body: bytes) -> None:
    read_document(f"post{suffix}", body, PAGE, is_wanted=IS_OURS)


def _examples(kind: str) -> list[bytes]:
    return [file.read_bytes() for file in sorted((EXAMPLES / kind).glob("*/*.json"))]


LINK: Final = json.dumps(
    {
        "url_from": PAGE,
        "url_to": URL,
        "change": "gained",
        "occurred_at": "2026-05-01T00:00:00Z",
        "anchor": "a good read",
        "rel": ["ugc"],
        "page": {"title": "T", "author": "A"},
        "source": "crawler",
    }
).encode()
HTML: Final = b"<html lang=en><base href=/x><title>T</title><a rel='ugc' href='https://pub.example/a'>why</a></html>"
ENTRY: Final = (
    b"<p class=h-entry><a class='u-in-reply-to' href='https://pub.example/a'>x</a><time class=dt-published>2026"
)
RSS: Final = (
    b"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><item><link>https://b.example/1</link>"
    b"<pubDate>Sat, 07 Nov 2026 00:00:00 GMT</pubDate><description>&lt;a href='https://pub.example/a'&gt;</description>"
    b"</item></channel></rss>"
)
SITEMAP: Final = (
    b"<?xml version='1.0' encoding='utf-8'?><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url>"
    b"<loc>https://pub.example/a</loc><lastmod>2026-11-07</lastmod></url></urlset>"
)
OPML: Final = b"<?xml version='1.0' encoding='utf-8'?><opml><body><outline xmlUrl='https://b.example/f'/></body></opml>"
POST: Final = (
    b'{"time_us":1780000000000000,"kind":"commit","did":"d","commit":{"operation":"create","record":{"text":"x"}}}'
)
HIT: Final = b'{"hits":[{"objectID":"1","created_at_i":1780000000,"title":"T","url":"https://pub.example/a"}]}'
FRONT_MATTER: Final = b"---\ntitle: T\ndate: 2026-01-01\ndraft: !!bool no\n---\n[a](https://pub.example/a)\n"
YAML_TAGS: Final = [b"---\na: !!%s %s\n---\n" % (kind, b"x") for kind in (b"int", b"float", b"bool", b"timestamp")]

JSON_LINES: Final = ("application/x-ndjson", "application/json")

PARSERS: Final[dict[str, Parser]] = {
    "link event": Parser(links.prepare, (Rejected,), [LINK, *_examples("link_event")]),
    "heartbeat": Parser(codec.heartbeats.decode, (Rejected,), _examples("heartbeat")),
    "visits record": Parser(visits.prepare, (Rejected,), _examples("visits_record")),
    "article record": Parser(codec.articles.decode, (Rejected,), _examples("article_record")),
    "site record": Parser(codec.sites.decode, (Rejected,), _examples("site_record")),
    "removal": Parser(codec.removals.decode, (Rejected,), _examples("removal")),
    "move": Parser(codec.moves.decode, (Rejected,), _examples("move")),
    "snooze": Parser(codec.snoozes.decode, (Rejected,), _examples("snooze")),
    "annotation": Parser(codec.annotations.decode, (Rejected,), _examples("annotation")),
    "alert mark": Parser(codec.alert_marks.decode, (Rejected,), _examples("alert_mark")),
    **{
        f"pushed {content_type}": Parser(
            partial(split, content_type=content_type, events_max=10), (Refused,), [LINK, b"[%b,%b]" % (LINK, LINK)]
        )
        for content_type in JSON_LINES
    },
    "pushed gzip": Parser(partial(decompress, encoding="gzip", bytes_max=1_000), (Refused,), [gzip.compress(LINK)]),
    **{
        f"fetched {encoding}": Parser(
            partial(bodies.decoded, encoding=encoding, bytes_max=1_000), (Failed,), [gzip.compress(HTML)]
        )
        for encoding in ("gzip", "deflate")
    },
    "export": Parser(
        partial(read_export, "file"),
        (UnreadableExport,),
        [b"source url,target url,first seen\nhttps://b.example/1,https://pub.example/a,2026-11-07\n"],
        ["*links*", "*.csv", "wat_*", "scrapy*", "semrush*", "ahrefs*", "majestic*"],
    ),
    "visit file": Parser(partial(_in_a_file, _visits), (ConnectorError,), files=["visits_*"]),
    "HTML": Parser(lambda body: read_html(html_text(body, None), PAGE, is_wanted=IS_OURS), (), [HTML], ["*.html"]),
    "webmention's source": Parser(_webmention_source, (), [HTML, ENTRY], ["*.html"]),
    "webmention's source in JSON": Parser(lambda body: link_in_json(body, URL), (ValueError,), [LINK]),
    "webmention's source in text": Parser(
        lambda body: link_in_text(body, URL, charset=None), (), [b"see " + URL.encode()]
    ),
    "webmention": Parser(
        lambda body: addresses_of(body, is_ours=IS_OURS, may_connect=lambda _: True),
        (InvalidMention,),
        [b"source=https://b.example/1&target=https://pub.example/a", b"source=http://[::1]/&target=%00"],
    ),
    "webmention.io": Parser(_webmention_io, (Rejected,), files=["webmention_io_mentions*"]),
    "webmention.io's hook": Parser(_hook, (Rejected,), files=["webmention_io_webhook*"]),
    "feed": Parser(lambda body: read_entries(body, PAGE, is_ours=IS_OURS), (NoFeed,), [RSS], ["feed_*"]),
    "own listing": Parser(partial(parse, url=PAGE), (NoListing, Failed), [SITEMAP, RSS, URL.encode()], ["sitemap*"]),
    "OPML": Parser(partial(_in_a_file, feeds_of), (OpmlError,), [OPML]),
    "robots.txt": Parser(
        _robots, (Failed,), [b"User-agent: *\nCrawl-delay: 1\nDisallow: /a*$\nSitemap: https://b.example/"]
    ),
    "server-sent events": Parser(_sse, (Failed,), [b"\xef\xbb\xbfid: 1\r\ndata: x\ndata: y\r\r\n"], ["*.sse"]),
    "Wikimedia": Parser(
        _wikimedia,
        (Rejected,),
        [b'{"meta":{"dt":"2026-11-07T00:00:00Z","domain":"en.wikipedia.org","uri":"https://x.org/"}}'],
    ),
    "Bluesky": Parser(_bluesky, (Rejected,), [POST]),
    "Hacker News": Parser(_hacker_news, (Rejected,), [HIT]),
    "Crossref": Parser(read_crossref, (Rejected,), files=["crossref*"]),
    "DataCite": Parser(read_datacite, (Rejected,), files=["datacite*"]),
    "Ahrefs": Parser(
        partial(read_ahrefs, sorted_by="first_seen"), (Rejected,), [b'{"backlinks":[{"first_seen":"2026"}]}']
    ),
    "Semrush": Parser(
        partial(read_semrush, sorted_by="first_seen_at"), (Rejected,), [b'{"data":[{"first_seen_at":"2026"}]}']
    ),
    "Moz": Parser(read_moz, (Rejected,), files=["moz_api*"]),
    "Moz's error": Parser(read_moz_error, (), [b'{"message":"x"}']),
    "DataForSEO": Parser(partial(read_dataforseo, sorted_by="first_seen"), (Rejected,), files=["dataforseo*"]),
    "DataForSEO's error": Parser(read_dataforseo_error, (), [b'{"status_code":40100,"tasks":[{"status_code":50000}]}']),
    "DataForSEO's cost": Parser(usd_charged, (), [b'{"cost":0.02}']),
    "Majestic": Parser(read_majestic, (Rejected,), files=["majestic*.json"]),
    "Majestic's error": Parser(read_majestic_error, (), [b'{"Code":"No","FullError":"x"}']),
    "Bing": Parser(_bing, (Rejected,), files=["bing*.json"]),
    "Bing's error": Parser(read_bing_error, (), files=["bing_error*"]),
    "a vendor's error": Parser(error_in, (), [b'{"error":{"message":"x"}}']),
    **{
        f"document {suffix}": Parser(
            partial(_front_matter, suffix), (UnreadableDocument,), [FRONT_MATTER, HTML, *YAML_TAGS]
        )
        for suffix in (".md", ".html", ".rst")
    },
    **{
        f"state, part {low!r}": Parser(
            partial(_state, low),
            (UnknownFormatError, ValueError, OverflowError, msgspec.DecodeError),
            [Article(URL.encode(), Header(0), Segment()).encode()],
        )
        for low in (b"", b"2026", b"abcdefgh")
    },
}

# What grammars of foreign texts are made of, and what their parsers stumble over.
OF_JSON: Final = [
    b'"',
    b"\\",
    b"{",
    b"[",
    b"]",
    b",",
    b"0",
    b"-1",
    b"1e999",
    b"null",
    b"true",
    b"\\ud800",
    b"[" * 3_000,
]
OF_MARKUP: Final = [
    b"<",
    b"&#0;",
    b"<b>" * 300,
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
    b"encoding='x'",
    b"!!int ",
    b"http://[",
]
OF_ANY: Final = [
    b"",
    b"\0",
    b"\n",
    b"%",
    b"nan",
    b"inf",
    b"9" * 5_000,
    b"\xff",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
]
OF_ARCHIVES: Final = [b"\x1f\x8b", b"PK\x03\x04"]
PIECES: Final = st.sampled_from([*OF_JSON, *OF_MARKUP, *OF_ANY, *OF_ARCHIVES]) | st.binary(max_size=8)


@st.composite
def damaged(draw: st.DrawFn, samples: Sequence[bytes]) -> bytes:
    """Return a sample with some pieces replaced."""
    data = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(PIECES) + data[at + draw(st.sampled_from([0, 0, 1, 4, 40])) :]
    return data


def _samples(parser: Parser) -> list[bytes]:
    files = [file for pattern in parser.files for file in sorted(SAMPLES.glob(pattern)) if file.is_file()]
    return [*parser.samples, *(file.read_bytes() for file in files)]


def _check(name: str, data: bytes) -> None:
    with suppress(*PARSERS[name].errors):
        PARSERS[name].read(data)


# What was found: each of these once ended in another error.
FOUND: Final = [
    ("feed", b""),
    ("feed", b"<?xml version='1.0' encoding='\x80'?><rss/>"),
    ("feed", b"<?xml version='1.0' encoding='\x00'?><rss/>"),
    ("document .md", b"---\ndraft: !!bool x\n---\n"),
    ("document .md", b"---\ndate: !!timestamp x\n---\n"),
    ("document .rst", b"---\nweight: !!int ''\n---\n"),
    ("Ahrefs", b'{"backlinks":' + b"[" * 100_000),
    ("Semrush", b'{"data":' + b"[" * 100_000),
    ("Moz", b'{"results":' + b"[" * 100_000),
    ("Moz's error", b'{"message":' + b"[" * 100_000),
    ("DataForSEO", b'{"tasks":' + b"[" * 100_000),
    ("DataForSEO's error", b'{"tasks":' + b"[" * 100_000),
    ("Majestic", b'{"DataTables":' + b"[" * 100_000),
    ("Majestic's error", b'{"Code":' + b"[" * 100_000),
    ("Bing", b'{"d":' + b"[" * 100_000),
    ("Bing's error", b'{"ErrorCode":' + b"[" * 100_000),
    ("a vendor's error", b'{"error":' + b"[" * 100_000),
    ("OPML", b"<?xml version='1.0' encoding='x'?><opml/>"),
]


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_was_found(name: str, data: bytes) -> None:
    """It is read or refused since."""
    _check(name, data)


@pytest.mark.parametrize("name", PARSERS)
@examples(40)
@given(st.data())
def test_foreign_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    """Any other error would end a request, a connector or a worker."""
    samples = _samples(PARSERS[name])
    _check(name, data.draw(damaged(samples) | st.binary(max_size=200) if samples else st.binary(max_size=200)))
