"""Sitemaps and feeds as sites publish them, into the articles that they list."""

import gzip
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from flatline_connectors.fetching.outcomes import Failed, Outcome
from flatline_connectors.own_site.dates import w3c_date
from flatline_connectors.own_site.listing import ListedArticle, NoListing
from flatline_connectors.own_site.parsing import parse
from tests.samples import SAMPLES, with_samples

URL = "https://yours.example/sitemap.xml"
CET = timezone(timedelta(hours=1))

SITEMAP = b"""<?xml version="1.0" encoding="UTF-8"?>
<!-- generated -->
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"
        xmlns:image="http://www.google.com/schemas/sitemap-image/1.1" xmlns:xhtml="http://www.w3.org/1999/xhtml">
<url><loc> https://yours.example/a?x=1&amp;y=2
</loc><lastmod>2026-11-20</lastmod>
  <image:image><image:loc>https://yours.example/a.png</image:loc></image:image>
  <xhtml:link rel="alternate" hreflang="de" href="https://yours.example/de/a"/></url>
<url><loc>/b</loc><n:news><n:publication><n:name>Yours</n:name></n:publication>
  <n:publication_date>2026-11-21T08:55+01:00</n:publication_date><n:title>Slow
  tomatoes</n:title></n:news></url>
<url><lastmod>2026-11-20</lastmod></url>
</urlset>"""
LISTED = [
    ListedArticle("https://yours.example/a?x=1&y=2"),
    ListedArticle("https://yours.example/b", "Slow tomatoes", datetime(2026, 11, 21, 8, 55, tzinfo=CET)),
]


@pytest.mark.parametrize(
    "body",
    [
        SITEMAP,
        gzip.compress(SITEMAP),
        gzip.compress(SITEMAP[:200]) + gzip.compress(SITEMAP[200:]),
        b"\n\n  " + SITEMAP,
        b"\xef\xbb\xbf" + SITEMAP,
        SITEMAP.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        SITEMAP.replace(b"sitemaps.org/schemas/sitemap/0.9", b"google.com/schemas/sitemap/0.84"),
        SITEMAP.replace(b' xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"', b""),
    ],
    ids=["plain", "gzip", "two gzip members", "blank lines", "mark", "UTF-16", "old namespace", "no namespace"],
)
def test_sitemaps(body: bytes) -> None:
    """Addresses, and what news sitemaps say; lastmod is no date of publication, and images are no articles."""
    listing = parse(body, URL)
    assert listing.articles == LISTED
    assert (listing.sitemaps, listing.has_all, listing.problem) == ([], True, "")


def test_indexes() -> None:
    """They list sitemaps only."""
    body = SITEMAP.replace(b"urlset", b"sitemapindex").replace(b"<url>", b"<sitemap>").replace(b"</url>", b"</sitemap>")
    listing = parse(body, URL)
    assert listing.sitemaps == ["https://yours.example/a?x=1&y=2", "https://yours.example/b"]
    assert not listing.articles


def test_text_sitemaps() -> None:
    """An address a line."""
    listing = parse(b"\xef\xbb\xbfhttps://yours.example/a\r\n\r\nhttp://yours.example/b\r\n", URL)
    assert [article.url for article in listing.articles] == ["https://yours.example/a", "http://yours.example/b"]


def test_a_sitemap_that_breaks_off() -> None:
    """What stands before the break counts, and the break is told."""
    listing = parse(SITEMAP[:-40], URL)
    assert listing.articles == LISTED
    assert "only in part" in listing.problem


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"User-agent: *",
        b"<!DOCTYPE html><html><head><title>Not found</title></head><body><p>x</body></html>",
        b"<urlset",
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b'<!DOCTYPE u [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>',
        b'<!DOCTYPE u [<!ENTITY a SYSTEM "file:///etc/passwd">]><urlset><url><loc>&a;</loc></url></urlset>',
    ],
)
def test_what_is_no_listing(body: bytes) -> None:
    """It is refused with a reason; entities are never followed."""
    with pytest.raises(NoListing):
        parse(body, URL)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (gzip.compress(SITEMAP)[:-20], Outcome.UNDECODABLE),
        (gzip.compress(bytes(51 * 1024 * 1024)), Outcome.TOO_LARGE),
    ],
)
def test_broken_archives(body: bytes, outcome: Outcome) -> None:
    """They end as a fetch of such a body does."""
    with pytest.raises(Failed) as raised:
        parse(body, URL)
    assert raised.value.outcome is outcome


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2026-11-21T08:55+01:00", datetime(2026, 11, 21, 8, 55, tzinfo=CET)),
        ("2026-11-21T08:55:01Z", datetime(2026, 11, 21, 8, 55, 1, tzinfo=UTC)),
        ("2026-11-21t08:55:01.1234567z", datetime(2026, 11, 21, 8, 55, 1, 123456, tzinfo=UTC)),
        ("2026-11-21 08:55:01 +0100", datetime(2026, 11, 21, 8, 55, 1, tzinfo=CET)),
        (" 2026-11-21T08:55:01 ", datetime(2026, 11, 21, 8, 55, 1, tzinfo=UTC)),
        ("2026", None),
        ("2026-11", None),
        ("2026-13-01", None),
        ("2026-02-30", None),
        ("21.11.2026", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
    ],
)
def test_dates(text: str, expected: datetime | None) -> None:
    """A day is its first instant, no zone is UTC, and a part of a date never becomes today."""
    assert w3c_date(text) == expected


RSS = """<?xml version="1.0" encoding="ISO-8859-1"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>G\xe4rtner</title>
<link>https://yours.example/</link><description/>
<item><title>&lt;b&gt;Tomaten&lt;/b&gt; &amp;amp; Geduld</title><link>https://yours.example/p/1</link>
<pubDate>Mon, 23 Nov 2026 07:00:00 +0100</pubDate><dc:creator>J. B\xe4t</dc:creator></item>
<item><title>No date</title><link>/p/2</link><pubDate>23.11.2026</pubDate></item>
<item><title>No link</title></item>
</channel></rss>""".encode("latin-1")
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://yours.example/blog/"><title>x</title>
<entry><title type="html">A &amp;lt; B</title><link rel="alternate" href="1"/><author><name>Ann</name></author>
<published>2026-11-23T07:00:00Z</published><updated>2026-11-25T07:00:00Z</updated></entry>
<entry><title>Edited</title><link href="2"/><updated>2026-11-25T07:00:00Z</updated></entry></feed>"""


def test_rss() -> None:
    """Titles without their markup, authors, dates in UTC; what has no link is no article, and a bad date none."""
    listing = parse(RSS, "https://yours.example/feed")
    published = datetime(2026, 11, 23, 6, tzinfo=UTC)
    assert listing.articles == [
        ListedArticle("https://yours.example/p/1", "Tomaten & Geduld", published, "J. B\xe4t"),
        ListedArticle("https://yours.example/p/2", "No date"),
    ]
    assert not listing.has_all


def test_atom() -> None:
    """Addresses are relative to the feed's base, and an edit is no publication."""
    published = datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert parse(ATOM, "https://yours.example/feed").articles == [
        ListedArticle("https://yours.example/blog/1", "A < B", published, "Ann"),
        ListedArticle("https://yours.example/blog/2", "Edited"),
    ]


def test_a_body_is_never_taken_for_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that is the name of a file does not have that read."""
    monkeypatch.chdir(tmp_path)
    Path("<x>").write_bytes(RSS)
    with pytest.raises(NoListing):
        parse(b"<x>", URL)


@with_samples
def test_the_samples() -> None:
    """Four articles, of which one has a date of publication; and three sitemaps."""
    articles = parse((SAMPLES / "sitemap.xml").read_bytes(), "https://pub.example/sitemap.xml").articles
    assert [bool(article.published_at) for article in articles] == [False, True, False, False]
    index = parse((SAMPLES / "sitemap_index.xml").read_bytes(), "https://pub.example/sitemap_index.xml")
    assert len(index.sitemaps) == 3
