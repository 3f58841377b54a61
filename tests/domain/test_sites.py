"""Which site an article is on, whatever order the records come in."""

import itertools

import pytest

from flatline.domain.sites import Sites, canonical_domain, series_at
from flatline.schema import codec
from flatline.schema.rejection import Rejected
from flatline.schema.site_record import SeriesRule, SiteRecord

OWN = SiteRecord("yours.example", aliases=["ours.example"], owner="Docs")
SECTION = SiteRecord("shop.yours.example", owner="Shop")
PEER = SiteRecord("peer.example", role="peer", aliases=["yours.example", "ours.example"])


def _known(*records: SiteRecord) -> Sites:
    sites = Sites()
    for record in records:
        sites.receive_record(record.domain.encode(), codec.sites.encode(record))
    return sites


@pytest.mark.parametrize("records", list(itertools.permutations([OWN, SECTION, PEER])))
def test_the_nearest_domain_holds(records: tuple[SiteRecord, ...]) -> None:
    """A subdomain belongs to its site unless it has a record; a domain is nobody else's alias."""
    sites = _known(*records)
    owners = {
        "https://yours.example/a": "Docs",
        "https://blog.yours.example/a": "Docs",
        "https://shop.yours.example/": "Shop",
        "https://a.shop.yours.example/x?y=1": "Shop",
        "https://notyours.example/": None,
        "https://example/": None,
    }
    assert {url: record and record.owner for url in owners for record in [sites.of(url)]} == owners
    assert sites.is_peer("https://www.peer.example/a")
    assert sites.of("https://ours.example/a") == PEER  # of two that name it the first by domain
    assert not sites.is_peer("https://yours.example/a")
    assert [record.domain for record in sites] == ["peer.example", "shop.yours.example", "yours.example"]


def test_a_tombstone_and_a_newer_record() -> None:
    """What was removed is known no more, and each change has a version."""
    sites = _known(OWN, SECTION)
    versions = [sites.version]
    sites.receive_record(b"shop.yours.example", None)
    versions.append(sites.version)
    assert sites.at("shop.yours.example") == OWN
    sites.receive_record(b"yours.example", codec.sites.encode(SiteRecord("Yours.Example", owner="Web")))
    versions.append(sites.version)
    assert sites.at("ours.example") is None
    record = sites.at("yours.example")
    assert record is not None
    assert record.owner == "Web"
    assert sorted(set(versions)) == versions
    with pytest.raises(Rejected):
        sites.receive_record(b"x", b"{}")
    assert sites.version == versions[-1]


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Blog.Example", "blog.example"),
        (" https://www.blog.example/ ", "blog.example"),
        ("bücher.example.", "xn--bcher-kva.example"),
        ("localhost:8080", "localhost:8080"),
        ("blog.example/notes", None),
        ("https://blog.example/?a=b", None),
        ("ann@blog.example", None),
        ("", None),
    ],
)
def test_domains(text: str, host: str | None) -> None:
    """A host however it is written, or a front page; nothing that is more than that."""
    if host is None:
        with pytest.raises(Rejected, match="domain"):
            canonical_domain(text, field="domain")
    else:
        assert canonical_domain(text, field="domain") == host


def test_series_by_path() -> None:
    """The longest path holds, and a path ends where a segment does."""
    rules = [SeriesRule("/guides", "Guides"), SeriesRule("/guides/field/", "Field"), SeriesRule("/notes/", "Notes")]
    site = SiteRecord("yours.example", series=rules)
    series = {
        "/guides": "Guides",
        "/guides/a": "Guides",
        "/guides?p=1": "Guides",
        "/guidesto": None,
        "/guides/field/a": "Field",
        "/notes": "Notes",
        "/": None,
    }
    assert {path: series_at(site, path) for path in series} == series
    whole = SiteRecord("yours.example", series=[SeriesRule("/", "All")])
    assert series_at(whole, "/any") == "All"
    assert _known(site).series_of("https://blog.yours.example/notes/a") == "Notes"
    assert _known(site).series_of("https://other.example/notes/a") is None
