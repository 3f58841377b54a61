"""A site's own feeds: RSS and Atom."""

from calendar import timegm
from datetime import datetime
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import feedparser

from flatline.domain.time import to_datetime
from flatline_connectors.own_site.listing import ListedArticle, Listing, NoListing


def parse_feed(body: bytes, url: str) -> Listing:
    """Read the entries of a feed that was found at ``url``; those without a link are none. Raise `NoListing`."""
    # A file object, as feedparser takes bytes for the name of a file, too.
    feed: Any = feedparser.parse(BytesIO(body), response_headers={"content-location": url})
    if not feed.version:
        raise NoListing("it is neither a sitemap nor a feed")
    return Listing([_article(entry) for entry in feed.entries if entry.get("link")], has_all=False)


def _article(entry: Any) -> ListedArticle:
    detail = entry.get("title_detail") or {}
    title = entry.get("title") or ""
    if detail.get("type") in {"text/html", "application/xhtml+xml"}:
        title = _plain(title)
    return ListedArticle(
        entry.link,
        title=_one_line(title) or None,
        published_at=_instant(entry.get("published_parsed")),
        author=_one_line(entry.get("author")) or None,
    )


def _instant(parsed: Any) -> datetime | None:
    """Return feedparser's time in UTC as an instant."""
    try:
        return to_datetime(timegm(parsed) * 1_000) if parsed else None
    except (ValueError, OverflowError):
        return None


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


class _Text(HTMLParser):
    """Keeps the text of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def _plain(html: str) -> str:
    reader = _Text()
    reader.feed(html)
    reader.close()
    return "".join(reader.parts)
