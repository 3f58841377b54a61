"""The reputation of referring domains: how many of our articles they link to, and whether their links last.

A partition's articles are a random sample of all, so each partition keeps its own account: a round over its articles
each day, in bounded memory. Nothing is stored: after a start all domains are unknown until a round is complete.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from flatline.domain.state import link
from flatline.domain.state.segment import Segment
from flatline.domain.urls.multi_author_domains import MANY_AUTHORS

DOMAINS_MAX: Final = 20_000
LOYAL_ARTICLES_MIN: Final = 3
LOYAL_LOST_MAX: Final = 0.1
FICKLE_LINKS_MIN: Final = 5
FICKLE_LOST_MIN: Final = 0.8

# A domain's account in one number: articles, and above them links ever gained, and above them those that are not live.
_FIELD_BITS: Final = 32
_FIELD: Final = (1 << _FIELD_BITS) - 1
_ARTICLE: Final = 1
_LIVE: Final = 1 << _FIELD_BITS  # a link
_LOST: Final = _LIVE | 1 << 2 * _FIELD_BITS


class DomainReputation(StrEnum):
    """What we know ourselves of a referring domain."""

    UNKNOWN = "unknown"
    LOYAL = "loyal"  # it links to several of our articles, and its links last
    FICKLE = "fickle"  # most of its links were lost

    __hash__ = str.__hash__  # that of Enum takes ten times as long, and these are looked up for each link


def reputation(*, articles: int, links: int, lost: int) -> DomainReputation:
    """Return the reputation of a domain with so many links to so many articles, and so many of them not live."""
    if links >= FICKLE_LINKS_MIN and lost >= FICKLE_LOST_MIN * links:
        return DomainReputation.FICKLE
    if articles >= LOYAL_ARTICLES_MIN and lost <= LOYAL_LOST_MAX * links:
        return DomainReputation.LOYAL
    return DomainReputation.UNKNOWN


class DomainReputations:
    """The reputations of the last complete round, and the accounts of the one under way."""

    def __init__(self) -> None:
        self._known: dict[bytes, DomainReputation] = {}
        self._accounts: dict[bytes, int] = {}
        self._day: int | None = None
        self._is_full = False

    def __call__(self, domain: bytes) -> DomainReputation:
        """Return the reputation of a domain by its fingerprint."""
        return self._known.get(domain, DomainReputation.UNKNOWN)

    def begin(self, day: int) -> None:
        """Begin a round, unless that of the day is under way; what the one before found is known from now on."""
        if day == self._day:
            return
        self._known = {
            domain: found
            for domain, account in self._accounts.items()
            if (found := _reputation_of(account)) is not DomainReputation.UNKNOWN
        }
        self._accounts, self._day, self._is_full = {}, day, False

    def add(self, segments: Iterable[Segment]) -> None:
        """Add an article, once a round."""
        accounts: dict[bytes, int] = {}
        for segment in segments:
            for fact, _, domain in segment.rows():
                if fact & link.GAINED:
                    accounts[domain] = accounts.get(domain, _ARTICLE) + (_LIVE if fact & link.LIVE else _LOST)
        for domain, account in accounts.items():
            known = self._accounts.get(domain)
            if known is not None:
                self._accounts[domain] = known + account
            elif domain not in MANY_AUTHORS and self._has_room():
                self._accounts[domain] = account

    def _has_room(self) -> bool:
        """Make room where there is none by forgetting the domains with one article so far, as lossy counting does.

        (Manku and Motwani, VLDB 2002.) A domain that links to many articles is soon back.
        """
        if len(self._accounts) >= DOMAINS_MAX and not self._is_full:
            kept = {domain: account for domain, account in self._accounts.items() if account & _FIELD > 1}
            self._is_full = len(kept) > DOMAINS_MAX // 2  # not again for every domain that comes
            self._accounts = kept
        return len(self._accounts) < DOMAINS_MAX


def _reputation_of(account: int) -> DomainReputation:
    return reputation(articles=account & _FIELD, links=account >> _FIELD_BITS & _FIELD, lost=account >> 2 * _FIELD_BITS)
