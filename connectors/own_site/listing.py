"""What a site's own listings say: which articles it has, and which further listings."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class ListedArticle:
    """An article as its site lists it. ``url`` is absolute; None: the listing doesn't say."""

    url: str
    title: str | None = None
    published_at: datetime | None = None
    author: str | None = None


@dataclass(frozen=True)
class Listing:
    """One sitemap or feed. ``sitemaps``: addresses of the sitemaps that an index names.

    ``has_all``: it lists all articles, as sitemaps do; a feed has the newest only. ``problem``: why only a part of it
    could be read.
    """

    articles: list[ListedArticle] = field(default_factory=list)
    sitemaps: list[str] = field(default_factory=list)
    has_all: bool = True
    problem: str = ""


class NoListing(Exception):
    """The document is neither a sitemap nor a feed, or it is broken. The message says what was found."""
