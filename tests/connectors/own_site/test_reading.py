"""A whole site: what its listings name, and what became of the articles that they don't."""

from datetime import UTC, datetime

import pytest

from flatline.cli import article_fetch
from flatline.domain.state.moves import Moves, rule_of
from flatline.schema.article_record import ALIASES_MAX, ArticleRecord
from flatline.schema.move import Move
from flatline_connectors.own_site.listing import ListedArticle
from flatline_connectors.own_site.missing import Missing, look_for, not_listed
from flatline_connectors.own_site.reading import SiteListing, read_site
from flatline_connectors.own_site.registering import Registry, moved, prepared, registrations
from tests.connectors.fetching.hostile import Server, fetcher, serving

XML = "Content-Type: text/xml"
HTML = "Content-Type: text/html"
A, B, C = (f"https://yours.example/{name}" for name in "abc")
DATE = datetime(2026, 11, 23, tzinfo=UTC)


def sitemap(*urls: str, kind: str = "url", root: str = "urlset") -> bytes:
    """Return a sitemap, or an index, of these addresses."""
    entries = "".join(f"<{kind}><loc>{url}</loc></{kind}>" for url in urls)
    return f"<{root}>{entries}</{root}>".encode()


def index(*urls: str) -> bytes:
    """Return an index of these sitemaps."""
    return sitemap(*urls, kind="sitemap", root="sitemapindex")


async def listing_of(server: Server, *paths: str) -> SiteListing:
    """Read listings of the server."""
    async with fetcher() as opened:
        return await read_site(opened, [server.url(path, "yours.example") for path in paths])


async def test_a_site_by_its_robots_txt() -> None:
    """Of the address of a site the sitemaps of its robots.txt are read, with all that they name; each of them once."""
    async with serving() as server:
        at = f"http://yours.example:{server.port}"
        server.says("/robots.txt", body=f"Sitemap: {at}/all.xml\nSitemap: http://other.example/x.xml".encode())
        server.says("/all.xml", XML, body=index(f"{at}/1.xml", f"{at}/2.xml", f"{at}/all.xml", f"{at}/1.xml"))
        server.says("/1.xml", XML, body=sitemap(f"{at}/a", f"{at}/b", "https://other.example/c", "ftp://x/"))
        server.says("/2.xml", XML, body=sitemap(f"{at}/b", f"{at}/c?utm_source=x", f"{at.replace('//', '//www.')}/d"))
        found = await listing_of(server, "")
    assert {url.rpartition("/")[2] for url in found.articles} == {"a", "b", "c", "d"}
    assert server.paths == ["/all.xml", "/1.xml", "/2.xml"]
    assert (found.failures, found.foreign) == ({}, 3)
    assert not found.is_whole  # the other host's sitemap might list more


async def test_a_site_without_robots_txt() -> None:
    """Its sitemap is looked for where most sites have it."""
    async with serving() as server:
        server.says("/sitemap.xml", XML, body=sitemap("/a"))
        found = await listing_of(server, "/")
    assert (len(found.articles), found.is_whole) == (1, True)


async def test_listings_that_fail() -> None:
    """Each is named with its reason, and the others are read; a fault that may pass is tried three times."""
    async with serving() as server:
        at = f"http://yours.example:{server.port}"
        server.says("/all.xml", XML, body=index(*(f"{at}/{name}" for name in ("gone", "down", "page", "away", "good"))))
        server.says("/gone", status=410)
        server.says("/down", status=503)
        server.says("/page", HTML, body=b"<p>")
        server.says("/away", f"Location: {server.url('/x', 'other.example')}", status=302)
        server.says("/x", XML, body=sitemap("/z"))
        server.says("/good", XML, body=sitemap("/a"))
        found = await listing_of(server, "/all.xml")
    assert {url.rpartition("/")[2]: why.split(":")[0] for url, why in found.failures.items()} == {
        "gone": "gone",
        "down": "server_error",
        "page": "wrong_type",
        "away": "it redirects to another host",
    }
    assert server.paths.count("/down") == 3
    assert len(found.articles) == 1
    assert not found.is_whole


def registry(*records: ArticleRecord, removed: tuple[str, ...] = (), moves: Moves | None = None) -> Registry:
    """Return a registry of these records."""
    current = (moves or Moves()).current
    by_key = {current(record.url.encode()): record for record in records}
    return Registry(by_key, frozenset(url.encode() for url in removed), current)


def test_registrations() -> None:
    """New articles get what is listed; known ones what they lack; what a team has said, and removed, stays."""
    known = ArticleRecord(A, title="Ours", tier=1, series="S", aliases=["https://yours.example/old"])
    listed = {
        A: ListedArticle(A, "Theirs", DATE, "Ann"),
        B: ListedArticle(B, "x" * 600, DATE, "y" * 300),
        C: ListedArticle(C, "Removed"),
    }
    found = registrations(listed, registry(known, removed=(C,)))
    completed = ArticleRecord(
        A, title="Ours", published_at=DATE, author="Ann", tier=1, series="S", aliases=known.aliases
    )
    assert found.completed == {A.encode(): completed}
    [(key, new)] = found.new.items()
    assert (key, new.url, new.published_at) == (B.encode(), B, DATE)
    assert (new.title, new.author) == ("x" * 499 + "…", "y" * 199 + "…")
    assert prepared(new).key == key
    assert (found.unchanged, found.removed) == (0, 1)
    again = registrations(listed, registry(completed, new, removed=(C,)))
    assert (again.new, again.completed, again.unchanged) == ({}, {}, 2)


def test_dates_that_cant_be() -> None:
    """1970 is what a clock says that was never set."""
    found = registrations({A: ListedArticle(A, published_at=datetime(1970, 1, 1, tzinfo=UTC))}, registry())
    assert found.new == {A.encode(): ArticleRecord(A)}


def test_articles_that_were_moved_by_hand() -> None:
    """An article that its site still lists at its old address is not registered a second time."""
    moves = Moves([rule_of(Move(A, B, DATE))])
    found = registrations({A: ListedArticle(A, "x"), B: ListedArticle(B)}, registry(ArticleRecord(B), moves=moves))
    assert found.new == {}
    assert found.completed == {B.encode(): ArticleRecord(B, title="x")}


async def test_missing_articles() -> None:
    """Permanent redirects to a listed page are moves; the front page, and a page for several, are none."""
    async with serving() as server:
        at = f"http://yours.example:{server.port}"
        names = ("listed", "moved", "gone", "lost", "there", "home", "one", "two", "now", "aside", "down", "slash")
        records = [ArticleRecord(f"{at}/{name}") for name in names]
        server.says("/moved", "Location: /new", status=301)
        server.says("/gone", status=410)
        server.says("/there", HTML, body=b"x")
        server.says("/slash", "Location: /slash/", status=301)
        server.says("/slash/", HTML, body=b"x")
        for name, target, status in (
            ("home", "/", 301),
            ("one", "/topic", 301),
            ("two", "/topic", 301),
            ("now", "/new", 302),
            ("aside", "/unlisted", 301),
        ):
            server.says(f"/{name}", f"Location: {target}", status=status)
        for path in ("/", "/new", "/topic", "/unlisted"):
            server.says(path, HTML, body=b"x")
        server.says("/down", status=503)
        server.says("/sitemap.xml", XML, body=sitemap("/listed", "/new", "/topic", "/"))
        site = await listing_of(server, "/sitemap.xml")
        known = Registry(
            {prepared(record).key: record for record in [*records, ArticleRecord("https://elsewhere.example/")]},
            frozenset(),
            Moves().current,
        )
        missing = not_listed(site, known)
        assert [record.url.rpartition("/")[2] for record in missing.values()] == list(names[1:])
        async with fetcher() as opened:
            found = await look_for(opened, missing.items(), site.articles.keys())

    def name(key: bytes | str) -> str:
        return (key if isinstance(key, str) else key.decode()).rpartition("/")[2]

    assert {name(old): name(new) for old, new in found.moved.items()} == {"moved": "new"}
    assert [name(key) for key in found.gone] == ["gone", "lost"]
    assert found.there == 2
    assert {name(key) for key in found.unclear} == {"home", "one", "two", "now", "aside", "down"}


@pytest.mark.parametrize("failures", [{}, {"https://yours.example/2.xml": "gone"}])
def test_nothing_is_missing_from_a_part(failures: dict[str, str]) -> None:
    """Unless all sitemaps were read, an article that is not listed may be listed elsewhere."""
    site = SiteListing({}, {"yours.example"}, failures, is_whole=not failures)
    assert len(not_listed(site, registry(ArticleRecord(A)))) == (0 if failures else 1)
    assert not not_listed(site, registry(removed=(A,)))


def test_moved() -> None:
    """The new address gets what was registered of the old one and it lacks itself; the old ones are its aliases."""
    old = ArticleRecord(A, title="T", series="S", tier=1, aliases=["https://yours.example/0"])
    aliases = ["https://yours.example/0", A]
    listed = ListedArticle(B, "Listed", author="Ann")
    assert moved(old, listed, None) == ArticleRecord(B, title="T", author="Ann", series="S", tier=1, aliases=aliases)
    own = ArticleRecord(B, title="Own", tier=3)
    assert moved(old, listed, own) == ArticleRecord(B, title="Own", author="Ann", series="S", tier=3, aliases=aliases)
    full = ArticleRecord(A, aliases=[f"https://yours.example/{number}" for number in range(ALIASES_MAX)])
    assert moved(full, listed, None) is None


def test_a_move_to_a_removed_article() -> None:
    """It does not bring that back, and is said to be unclear."""
    found = Missing(moved={A.encode(): B, C.encode(): f"{B}/new"})
    site = SiteListing({B: ListedArticle(B), f"{B}/new": ListedArticle(f"{B}/new")})
    known = registry(ArticleRecord(A), ArticleRecord(C, tier=1), removed=(B,))
    plan = article_fetch._Plan(site, registrations(site.articles, known), found)
    article_fetch._prepare(plan, known)
    assert [(each.key.decode(), each.record.tier, each.record.aliases) for each in plan.records] == [
        (f"{B}/new", 1, [C])
    ]
    assert list(found.unclear) == [A.encode()]
