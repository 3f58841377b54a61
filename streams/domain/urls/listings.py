"""Pages that list others: a link wanders through them, or shows in several, and is one link all the same."""

import re
from typing import Final

from flatline.domain.urls.canonical import canonicalize

LISTING_NAMES: Final = ("page", "tag", "category", "author", "feed", "rss", "atom", "print")
"""What folders and parameters begin with that may make a page list others."""
MAY_LIST: Final = re.compile(f"[/?&](?:{'|'.join(LISTING_NAMES)})").search
"""Finds something in all canonical URLs that `listing` changes, and in few others."""

_PRINTED: Final = re.compile(r"/print(?=\?|$)|(?<=[?&])print=[^&]*(?:&|$)")
_PAGINATION: Final = re.compile(r"/page/\d+(?=\?|$)|(?<=[?&])paged?=\d+(?:&|$)")
# What WordPress and most others call the pages that list a site's posts, and its feeds.
_LISTS_OF_SITE: Final = re.compile(
    r"(https://[^/]+/)(?:[^?]*/)?(?:(?:tags?|category|author)/[^/?]+|feeds?|rss|(?:feed|rss|atom)\.(?:xml|rss|atom))"
    r"(?:/(?:feed|rss|atom))?(?:\?.*)?"
).fullmatch


def listing(canonical_url: str) -> str | None:
    """Return the one page that stands for all among which a link on this one wanders; None if it lists nothing.

    That is the page without its number or its print version's mark, and for tags, categories, authors and feeds the
    front page of their host.

    >>> listing("https://a.example/blog/page/2"), listing("https://a.example/t?id=5&page=3"), listing("https://a.example/p")
    ('https://a.example/blog', 'https://a.example/t?id=5', None)
    """
    url = _PAGINATION.sub("", _PRINTED.sub("", canonical_url))
    if site := _LISTS_OF_SITE(url):
        return site[1]
    if url == canonical_url:
        return None
    return canonicalize(url.removesuffix("&").removesuffix("?"))
