"""Fingerprints of a referring page and of its domain."""

from functools import lru_cache
from typing import Final

from xxhash import xxh3_64_digest

from flatline.domain.urls.canonical import MAX_LENGTH, PLAIN, canonicalize_field, is_canonical_host, referring_domain
from flatline.domain.urls.listings import MAY_LIST, listing

PAGE_BYTES: Final = 8
DOMAIN_BYTES: Final = 6

_HOSTS_CACHED: Final = 131_072

# Fingerprints of domains by canonical host. A plain dict: the order that an lru_cache keeps costs as much as a lookup.
_domains: dict[str, bytes] = {}


def referrer(url_from: str) -> tuple[bytes, bytes]:
    """Return the fingerprints of the canonical page and of its domain, as `Segment` keeps them; raise `Rejected`.

    A page that lists others has the fingerprint of the one that stands for all of them (`listings`).
    """
    plain = PLAIN(url_from)
    if plain and len(url_from) <= MAX_LENGTH and not MAY_LIST(url_from):
        simple, host = plain.groups()
        domain = fingerprint(simple) if simple else _domains.get(host)
        if domain:
            return xxh3_64_digest(url_from.encode()), domain
    page = canonicalize_field(url_from, field="url_from")
    domain = _domain(page)
    if MAY_LIST(page):
        page = listing(page) or page
    return xxh3_64_digest(page.encode()), domain


@lru_cache(maxsize=_HOSTS_CACHED)
def domain_of_article(article: bytes) -> bytes:
    """Return the fingerprint of the domain of an article's key."""
    return fingerprint(referring_domain(article.decode()))


def is_page(page: bytes, article: bytes) -> bool:
    """Whether a fingerprint is that of the page with an article's key."""
    return page == xxh3_64_digest(article)


def fingerprint(domain: str) -> bytes:
    """Return the fingerprint of a registrable domain."""
    return xxh3_64_digest(domain.encode())[:DOMAIN_BYTES]


def _domain(page: str) -> bytes:
    found = fingerprint(referring_domain(page))
    host = page[8 : page.index("/", 8)]
    if is_canonical_host(host):
        if len(_domains) >= _HOSTS_CACHED:
            _domains.clear()
        _domains[host] = found
    return found


def lists_others(url_from: str) -> bool:
    """Whether a page lists others, so that links wander through it. Raise `Rejected`."""
    page = canonicalize_field(url_from, field="url_from")
    return MAY_LIST(page) is not None and listing(page) is not None
