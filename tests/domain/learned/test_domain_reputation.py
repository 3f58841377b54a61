"""The reputation of domains: rules, rounds, and bounds."""

import pytest

from flatline.domain.learned import domain_reputation as standing_module
from flatline.domain.learned.domain_reputation import DOMAINS_MAX, DomainReputation, DomainReputations, reputation
from flatline.domain.state import link
from flatline.domain.state.segment import Segment
from flatline.domain.urls.fingerprints import fingerprint

SITE = fingerprint("site.example")


@pytest.mark.parametrize(
    ("articles", "links", "lost", "expected", "why"),
    [
        (3, 3, 0, DomainReputation.LOYAL, "three of our articles, and its links stand"),
        (3, 30, 3, DomainReputation.LOYAL, "one in ten may go"),
        (3, 30, 4, DomainReputation.UNKNOWN, "not more"),
        (2, 20, 0, DomainReputation.UNKNOWN, "two articles may be chance"),
        (1, 5, 4, DomainReputation.FICKLE, "four of five are gone"),
        (9, 50, 40, DomainReputation.FICKLE, "to however many articles"),
        (1, 4, 4, DomainReputation.UNKNOWN, "four links are too little to say"),
        (5, 10, 7, DomainReputation.UNKNOWN, "neither nor"),
    ],
)
def test_rules(articles: int, links: int, lost: int, expected: DomainReputation, why: str) -> None:
    """A domain stands as its links to us did."""
    assert reputation(articles=articles, links=links, lost=lost) is expected, why


def _article(domains: list[bytes], *, lost: int = 0) -> list[Segment]:
    """Return the segments of an article with a link from each domain, the first few of them lost."""
    segment = Segment()
    for number, domain in enumerate(domains):
        page = number.to_bytes(8, "big")
        segment.apply(page, domain, True, 1_000, link.ORGANIC)
        if number < lost:
            segment.apply(page, domain, False, 2_000, 0)
    return [segment]


def test_a_round_counts_once_it_is_over() -> None:
    """What a day's round found is known on the next day, until the next round is over."""
    reputations = DomainReputations()
    reputations.begin(1)
    for _ in range(3):
        reputations.add(_article([SITE]))
    reputations.begin(1)
    assert reputations(SITE) is DomainReputation.UNKNOWN
    reputations.begin(2)
    assert reputations(SITE) is DomainReputation.LOYAL
    reputations.add(_article([SITE] * 6, lost=5))
    reputations.begin(3)
    assert reputations(SITE) is DomainReputation.FICKLE
    reputations.begin(4)
    assert reputations(SITE) is DomainReputation.UNKNOWN


def test_sites_of_many_authors_have_no_reputation() -> None:
    """What some authors of GitHub do says nothing of the others."""
    reputations = DomainReputations()
    reputations.begin(1)
    for _ in range(9):
        reputations.add(_article([fingerprint("github.com"), SITE]))
    reputations.begin(2)
    assert reputations(fingerprint("github.com")) is DomainReputation.UNKNOWN
    assert reputations(SITE) is DomainReputation.LOYAL


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many domains come by once, one that links to every article is known, and the accounts stay few."""
    monkeypatch.setattr(standing_module, "DOMAINS_MAX", 100)
    reputations = DomainReputations()
    reputations.begin(1)
    for number in range(400):
        reputations.add(_article([SITE, number.to_bytes(6, "big")]))
        assert len(reputations._accounts) <= 100
    reputations.begin(2)
    assert reputations(SITE) is DomainReputation.LOYAL
    assert DOMAINS_MAX > 100


def test_a_full_account_does_not_look_for_room_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where most domains link to several articles, newcomers are left out rather than sought room for each time."""
    monkeypatch.setattr(standing_module, "DOMAINS_MAX", 100)
    reputations = DomainReputations()
    reputations.begin(1)
    regulars = [number.to_bytes(6, "big") for number in range(1, 101)]
    for _ in range(3):
        reputations.add(_article(regulars))
    reputations.add(_article([SITE]))
    assert reputations._is_full
    reputations.begin(2)
    assert reputations(SITE) is DomainReputation.UNKNOWN
    assert all(reputations(domain) is DomainReputation.LOYAL for domain in regulars)
