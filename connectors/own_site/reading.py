"""Reads all that a site lists: sitemaps with all that their indexes name, and feeds."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin, urlsplit

from flatline.domain.sites import Sites
from flatline.domain.urls.canonical import InvalidUrl, canonicalize
from flatline_connectors.fetching.fetcher import Fetcher
from flatline_connectors.fetching.outcomes import Action, Failed, Fetched, Outcome
from flatline_connectors.own_site.listing import ListedArticle, Listing, NoListing
from flatline_connectors.own_site.parsing import BYTES_MAX, parse
from flatline_connectors.runtime.connector import Fetching

ACCEPTED: Final = frozenset(
    {
        "application/atom+xml",
        "application/gzip",
        "application/octet-stream",
        "application/rdf+xml",
        "application/rss+xml",
        "application/x-gzip",
        "application/xml",
        "binary/octet-stream",
        "text/plain",
        "text/xml",
    }
)
LISTINGS_MAX: Final = 500
_ATTEMPTS: Final = 3


@dataclass
class SiteListing:
    """All that was read. ``articles`` by canonical URL; ``hosts``: canonical hosts of the sites asked for.

    ``failures``: why a listing could not be read, by its address. ``foreign``: entries and sitemaps on other hosts,
    which are left out. ``is_whole``: all sitemaps were read to their ends, so that an article that isn't listed isn't
    there.
    """

    articles: dict[str, ListedArticle] = field(default_factory=dict)
    hosts: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)
    foreign: int = 0
    is_whole: bool = True


def canonical_host(url: str) -> str:
    """Return the host, with its port, that a URL has in canonical form; empty if it is none."""
    try:
        return urlsplit(canonicalize(url)).netloc
    except InvalidUrl:
        return ""


def named_listings(urls: Iterable[str], sites: Sites) -> list[str]:
    """Return what to read: in place of the address of a site the listings that its record names, if it names some."""
    found: dict[str, None] = {}
    for url in urls:
        record = sites.at(canonical_host(url)) if _is_front_page(url) else None
        found |= dict.fromkeys((record and record.listings) or [url])
    return list(found)


def articles_of(listing: Listing, is_ours: Callable[[str], bool]) -> tuple[dict[str, ListedArticle], int]:
    """Return the articles of a listing by canonical URL, and how many of its entries are on none of our sites."""
    articles: dict[str, ListedArticle] = {}
    foreign = 0
    for article in listing.articles:
        try:
            key = canonicalize(article.url)
        except InvalidUrl:
            foreign += 1
            continue
        if is_ours(key):
            articles[key] = merged(articles.get(key), article)
        else:
            foreign += 1
    return articles, foreign


async def read_site(
    fetcher: Fetcher, urls: Iterable[str], *, progress: Callable[[str], None] = lambda _: None
) -> SiteListing:
    """Read these listings, and what they name. A URL without a path stands for the sitemaps of its robots.txt.

    Only what is on the hosts of ``urls`` is read and listed. ``progress`` is told the address of each listing.
    """
    urls = list(urls)
    found = SiteListing(hosts={canonical_host(url) for url in urls})
    waiting = deque[str]()
    for url in urls:
        waiting += await sitemaps_at(fetcher, url)
    seen: set[str] = set()
    while waiting:
        url = waiting.popleft()
        if url in seen:
            continue
        if canonical_host(url) not in found.hosts:
            found.foreign += 1
            found.is_whole = False
            continue
        if len(seen) == LISTINGS_MAX:
            found.failures[url] = f"no more than {LISTINGS_MAX} listings are read"
            break
        seen.add(url)
        progress(url)
        await _read_one(fetcher, url, found, waiting)
    found.is_whole = found.is_whole and not found.failures
    return found


async def sitemaps_at(fetcher: Fetching, url: str) -> list[str]:
    """Return the sitemaps of a site, by the address of its front page; any other address is a listing itself."""
    if not _is_front_page(url):
        return [url]
    return list(await fetcher.sitemaps(url)) or [urljoin(url, "/sitemap.xml")]


def _is_front_page(url: str) -> bool:
    parts = urlsplit(url)
    return not parts.path.strip("/") and not parts.query


async def fetched(fetcher: Fetcher, url: str, *, accepted: frozenset[str], bytes_max: int) -> Fetched:
    """Fetch a page; up to three times, where what hinders it may pass. The fetcher pauses between them."""
    for _ in range(_ATTEMPTS - 1):
        page = await fetcher.fetch(url, accepted=accepted, bytes_max=bytes_max)
        if page.outcome.action is not Action.RETRY:
            return page
    return await fetcher.fetch(url, accepted=accepted, bytes_max=bytes_max)


async def _read_one(fetcher: Fetcher, url: str, found: SiteListing, waiting: deque[str]) -> None:
    page = await fetched(fetcher, url, accepted=ACCEPTED, bytes_max=BYTES_MAX)
    if page.outcome is not Outcome.FETCHED:
        found.failures[url] = f"{page.outcome}: {page.detail}"
        return
    if canonical_host(page.url) not in found.hosts:
        found.failures[url] = f"it redirects to another host: {page.url}"
        return
    try:
        listing = parse(page.body, page.url)
    except (NoListing, Failed) as error:
        found.failures[url] = str(error)
        return
    found.is_whole = found.is_whole and listing.has_all
    if listing.problem:
        found.failures[url] = listing.problem
    waiting += listing.sitemaps
    articles, foreign = articles_of(listing, lambda url: urlsplit(url).netloc in found.hosts)
    found.foreign += foreign
    for key, article in articles.items():
        found.articles[key] = merged(found.articles.get(key), article)


def merged(known: ListedArticle | None, other: ListedArticle) -> ListedArticle:
    """Return what two entries of one article say together; of what both say, the first."""
    if known is None:
        return other
    return ListedArticle(
        known.url,
        known.title or other.title,
        known.published_at or other.published_at,
        known.author or other.author,
    )
