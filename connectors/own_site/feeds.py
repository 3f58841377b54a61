"""A site's own feeds: RSS and Atom."""

from html.parser import HTMLParser
from typing import Any

from flatline_connectors.own_site.listing import ListedArticle, Listing, NoListing
from flatline_connectors.pages.feeds import NoFeed, instant, read_feed
from flatline_connectors.pages.links import one_line


def parse_feed(body: bytes, url: str) -> Listing:
    """Read the entries of a feed that was found at ``url``; those without a link are none. Raise `NoListing`."""
    try:
        feed = read_feed(body, url)
    except NoFeed:
        raise NoListing("it is neither a sitemap nor a feed") from None
    return Listing([_article(entry) for entry in feed.entries if entry.get("link")], has_all=False)


def _article(entry: Any) -> ListedArticle:
    detail = entry.get("title_detail") or {}
    title = entry.get("title") or ""
    if detail.get("type") in {"text/html", "application/xhtml+xml"}:
        title = _plain(title)
    return ListedArticle(
        entry.link,
        title=one_line(title) or None,
        published_at=instant(entry.get("published_parsed")),
        author=one_line(entry.get("author")) or None,
    )


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
