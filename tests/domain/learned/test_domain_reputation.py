"""The standing of domains: rules, rounds, and bounds."""

import pytest

from flatline.domain.learned import domain_reputation as standing_module
from flatline.domain.learned.domain_reputation import DOMAINS_MAX, DomainStanding, Standings, standing
from flatline.domain.state import link
from flatline.domain.state.segment import Segment
from flatline.domain.urls.fingerprints import fingerprint

SITE = fingerprint("site.example")


@pytest.mark.parametrize(
    ("articles", "links", "lost", "expected", "why"),
    [
        (3, 3, 0, DomainStanding.LOYAL, "three of our articles, and its links stand"),
        (3, 30, 3, DomainStanding.LOYAL, "one in ten may go"),
        (3, 30, 4, DomainStanding.UNKNOWN, "not more"),
        (2, 20, 0, DomainStanding.UNKNOWN, "two articles may be chance"),
        (1, 5, 4, DomainStanding.FICKLE, "four of five are gone"),
        (9, 50, 40, DomainStanding.FICKLE, "to however many articles"),
        (1, 4, 4, DomainStanding.UNKNOWN, "four links are too little to say"),
        (5, 10, 7, DomainStanding.UNKNOWN, "neither nor"),
    ],
)
def test_rules(articles: int, links: int, lost: int, expected: DomainStanding, why: str) -> None:
    """A domain stands as its links to us did."""
    assert standing(articles=articles, links=links, lost=lost) is expected, why


def _article(domains: list[bytes], *, lost: int = 0) -> list[Segment]:
    """Return the segments of an article with a link from each domain, the first few of them lost."""
    segment = Segment()
    for number, domain in enumerate(domains):
        page = number.to_bytes(8, "big")
        segment.see(page, domain, True, 1_000, link.ORGANIC)
        if number < lost:
            segment.see(page, domain, False, 2_000, 0)
    return [segment]


def test_a_round_counts_once_it_is_over() -> None:
    """What a day's round found is known on the next day, until the next round is over."""
    standings = Standings()
    standings.begin(1)
    for _ in range(3):
        standings.add(_article([SITE]))
    standings.begin(1)
    assert standings(SITE) is DomainStanding.UNKNOWN
    standings.begin(2)
    assert standings(SITE) is DomainStanding.LOYAL
    standings.add(_article([SITE] * 6, lost=5))
    standings.begin(3)
    assert standings(SITE) is DomainStanding.FICKLE
    standings.begin(4)
    assert standings(SITE) is DomainStanding.UNKNOWN


def test_sites_of_many_authors_have_no_standing() -> None:
    """What some authors of GitHub do says nothing of the others."""
    standings = Standings()
    standings.begin(1)
    for _ in range(9):
        standings.add(_article([fingerprint("github.com"), SITE]))
    standings.begin(2)
    assert standings(fingerprint("github.com")) is DomainStanding.UNKNOWN
    assert standings(SITE) is DomainStanding.LOYAL


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many domains come by once, one that links to every article is known, and the accounts stay few."""
    monkeypatch.setattr(standing_module, "DOMAINS_MAX", 100)
    standings = Standings()
    standings.begin(1)
    for number in range(400):
        standings.add(_article([SITE, number.to_bytes(6, "big")]))
        assert len(standings._accounts) <= 100
    standings.begin(2)
    assert standings(SITE) is DomainStanding.LOYAL
    assert DOMAINS_MAX > 100


def test_a_full_account_does_not_look_for_room_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where most domains link to several articles, newcomers are left out rather than sought room for each time."""
    monkeypatch.setattr(standing_module, "DOMAINS_MAX", 100)
    standings = Standings()
    standings.begin(1)
    regulars = [number.to_bytes(6, "big") for number in range(1, 101)]
    for _ in range(3):
        standings.add(_article(regulars))
    standings.add(_article([SITE]))
    assert standings._is_full
    standings.begin(2)
    assert standings(SITE) is DomainStanding.UNKNOWN
    assert all(standings(domain) is DomainStanding.LOYAL for domain in regulars)
