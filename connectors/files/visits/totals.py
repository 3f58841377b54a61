"""Adds visits up by article, referring domain and day, and makes visits records of them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from flatline.domain.urls.canonical import article_key, referring_domain
from flatline.schema.rejection import Reason, Rejected
from flatline.schema.visits_record import VISITS_MAX, VisitsRecord
from flatline_connectors.files.exports.row import Skipped
from flatline_connectors.files.visits.referrers import domain_of_referrer
from flatline_connectors.files.visits.visit import Visit
from flatline_connectors.sites import front_page, is_within

_INTERNAL: Final = Skipped("from your own site")
_FOREIGN: Final = Skipped("to other sites")
_NO_SITE: Final = Skipped("whose referrer names no site")
_encode: Final = msgspec.json.Encoder().encode


class NoHost(Exception):
    """The source does not say which site was visited, and nobody else did."""


@dataclass(frozen=True)
class Sites:
    """Which sites are ours, and what tells their articles apart.

    ``hosts``       the first one is visited where a source names none; none at all: whatever a source names is ours
    ``parameters``  query parameters that belong to an article's address; all others are dropped
    """

    hosts: tuple[str, ...] = ()
    parameters: frozenset[str] = frozenset()

    def has(self, host: str) -> bool:
        """Whether a host is one of ours, or a subdomain of one."""
        return not self.hosts or is_within(host, self.hosts)


NO_SITES: Final = Sites()


class Key(NamedTuple):
    """What visits are added up by: the canonical address of the article, the registrable domain, and the day."""

    article: str
    domain: str
    day: date


Totals = Counter[Key]


class Adding:
    """Finds out what a visit counts for. ``today`` is the day on which this is done."""

    def __init__(self, sites: Sites, *, today: date) -> None:
        self._sites = sites
        self._day_max = today + timedelta(days=1)  # sources count in time zones of their own
        self._own_domains = frozenset(referring_domain(f"https://{host}/") for host in sites.hosts)
        self._article = lru_cache(maxsize=65_536)(self._article_of)

    def key_of(self, visit: Visit) -> Key | Skipped:
        """Return what a visit counts for. Raise `Rejected`, and `NoHost`."""
        if visit.day > self._day_max:
            raise Rejected(Reason.INVALID_TIME, f"{visit.day} is in the future")
        article = self._article(visit.host, visit.address)
        if article is None:
            return _FOREIGN
        domain = domain_of_referrer(visit.referrer)
        if domain is None:
            return _NO_SITE
        if domain in self._own_domains or domain == referring_domain(article):
            return _INTERNAL
        return Key(article, domain, visit.day)

    def _article_of(self, host: str, address: str) -> str | None:
        """Return the canonical address of an article; None if it is on another site."""
        url = self._absolute(host, address)
        location, _, query = url.partition("#")[0].partition("?")
        kept = [part for part in query.split("&") if part.partition("=")[0] in self._sites.parameters]
        article = article_key(f"{location}?{'&'.join(kept)}" if kept else location, field="url").decode()
        return article if self._sites.has(_host_of(article)) else None

    def _absolute(self, host: str, address: str) -> str:
        if address.lower().startswith(("http://", "https://")):
            return address
        if not address.startswith("/"):
            named, slash, path = address.partition("/")
            if not (slash and "." in named):
                raise Rejected(Reason.INVALID_URL, "the page is neither a path nor an address")
            host, address = named, f"/{path}"
        if not host and not self._sites.hosts:
            raise NoHost
        return f"https://{host or self._sites.hosts[0]}{address}"


def _host_of(canonical_url: str) -> str:
    return urlsplit(canonical_url).hostname or ""


def site_of(text: str) -> str:
    """Return the canonical host of a site. Raise `flatline.domain.urls.canonical.InvalidUrl`."""
    return _host_of(front_page(text))


def records_of(totals: Totals, *, source: str) -> Iterator[bytes]:
    """Yield the records, as JSON, ordered by article, domain and day."""
    for key, visits in sorted(totals.items()):
        yield _encode(VisitsRecord(key.article, key.day, min(visits, VISITS_MAX), domain=key.domain, source=source))
