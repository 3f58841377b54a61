"""Sitemaps (https://www.sitemaps.org/protocol.html), their indexes, and Google's news sitemaps.

What a sitemap says of images, videos and other languages is no article, and is passed over.
"""

from contextlib import suppress
from io import BytesIO
from typing import Final
from urllib.parse import urljoin
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from flatline_connectors.own_site.dates import w3c_date
from flatline_connectors.own_site.listing import ListedArticle, Listing, NoListing

ROOTS: Final = frozenset({"urlset", "sitemapindex"})
# https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap
_NEWS: Final = "{http://www.google.com/schemas/sitemap-news/0.9}"


def parse_sitemap(body: bytes, url: str) -> Listing:
    """Read a sitemap or an index that was found at ``url``; one that breaks off is read to there.

    Raise `NoListing` if nothing could be read.
    """
    listing = Listing()
    try:
        for _, element in iterparse(BytesIO(body.lstrip()), forbid_dtd=True):
            _take(element, url, listing)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        if not listing.articles and not listing.sitemaps:
            raise NoListing(f"it is no well-formed XML: {error}") from error
        return Listing(listing.articles, listing.sitemaps, problem=f"it can be read only in part: {error}")
    return listing


def parse_text_sitemap(body: bytes) -> Listing:
    """Read a sitemap that is a list of addresses, one a line. Raise `NoListing` if a line is something else."""
    try:
        lines = [line.strip() for line in body.decode("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise NoListing("it is neither XML nor UTF-8 text") from None
    if not lines or not all(line.startswith(("https://", "http://")) for line in lines):
        raise NoListing("it is neither XML nor a list of addresses")
    return Listing([ListedArticle(line) for line in lines])


def _take(element: Element, url: str, listing: Listing) -> None:
    """Take an entry that has been read, and free its memory."""
    namespace, _, name = element.tag.rpartition("}")
    if name not in {"url", "sitemap"}:
        return
    location = _text(element, f"{namespace}}}loc" if namespace else "loc")
    if location:
        with suppress(ValueError):  # no address, and counted as such by whoever reads it
            location = urljoin(url, location)
        if name == "sitemap":
            listing.sitemaps.append(location)
        else:
            date = _text(element, f"{_NEWS}news/{_NEWS}publication_date")
            title = " ".join(_text(element, f"{_NEWS}news/{_NEWS}title").split())
            listing.articles.append(ListedArticle(location, title or None, w3c_date(date)))
    element.clear()


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()
