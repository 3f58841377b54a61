"""A site with an index of two sitemaps, one of news, where an article is registered that has moved."""

from datetime import UTC, datetime
from pathlib import Path

from flatline.schema.article_record import ArticleRecord
from flatline_connectors.fetching.outcomes import Fetched, Outcome
from flatline_connectors.own_site.connector import KIND, OwnSiteOptions
from flatline_connectors.own_site.registering import Registry
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.sites import on_sites
from tests.connectors.runtime.worlds.fetching import ScriptedFetcher

SITE = "https://yours.example"
INDEX, PLAIN, NEWS = f"{SITE}/index.xml", f"{SITE}/plain.xml", f"{SITE}/news.xml"
_NEWS = "http://www.google.com/schemas/sitemap-news/0.9"


def sitemap(*names: str) -> bytes:
    """Return a sitemap of these articles."""
    return f"<urlset>{''.join(f'<url><loc>{SITE}/{name}</loc></url>' for name in names)}</urlset>".encode()


def news(name: str, title: str) -> bytes:
    """Return a news sitemap of one article."""
    said = f"<n:news><n:publication_date>2026-02-03</n:publication_date><n:title>{title}</n:title></n:news>"
    return f"<urlset xmlns:n='{_NEWS}'><url><loc>{SITE}/{name}</loc>{said}</url></urlset>".encode()


def index(*urls: str) -> bytes:
    """Return an index of these sitemaps."""
    return f"<sitemapindex>{''.join(f'<sitemap><loc>{url}</loc></sitemap>' for url in urls)}</sitemapindex>".encode()


class SiteFetcher(ScriptedFetcher):
    """Serves a site. ``moved``: where an address redirects to for good."""

    def __init__(self, pages: dict[str, bytes], moved: dict[str, str]) -> None:
        super().__init__({**pages})
        self.moved = moved

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """Return what robots.txt names."""
        return (INDEX,) if url.startswith(SITE) else ()

    async def fetch(self, url: str, **how: object) -> Fetched:
        """Answer, from where it is now."""
        if (target := self.moved.get(url)) is None:
            return await super().fetch(url, **how)  # type: ignore[arg-type]
        self.asked.append(url)
        return Fetched(Outcome.FETCHED, target, status=200, body=b"<p>", is_moved=True)


class OwnSiteWorld:
    """`flatline_connectors.own_site` as the contract's tests see it."""

    kind = KIND
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    options = OwnSiteOptions(sites=["yours.example"])

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        pages = {INDEX: index(PLAIN, NEWS), PLAIN: sitemap("a", "new"), NEWS: news("n", "News")}
        self.fetcher = SiteFetcher(pages, {f"{SITE}/old": f"{SITE}/new"})
        registered = [ArticleRecord(f"{SITE}/{name}", title=name) for name in ("old", "new")]
        self.registry = Registry({each.url.encode(): each for each in registered}, frozenset(), lambda key: key)
        self.records: set[tuple[str, ...]] = set()
        self._expect("a", "n", "new")

    def _expect(self, *names: str) -> None:
        self.records |= {("article", f"{SITE}/{name}") for name in names}

    def resources(self) -> Resources:
        """Return what is lent."""
        folder = self._folder
        is_ours = on_sites(["yours.example"])
        return Resources(self.fetcher, is_ours, folder, folder / "work", registry=self._registered)

    async def _registered(self) -> Registry:
        return self.registry

    def add(self) -> None:
        """Publish another article."""
        self.fetcher.pages[PLAIN] = sitemap("a", "b", "new")
        self._expect("b")

    def malform(self) -> None:
        """Answer with a page in place of a sitemap. What is in no other one may be listed there."""
        self.fetcher.pages[NEWS] = b"<!doctype html><p>Sorry"
        self.records -= {("article", f"{SITE}/{name}") for name in ("n", "new")}

    def limit_rate(self, retry_after_s: int) -> bool:
        """Be asked too often."""
        self.fetcher.retry_after_s = retry_after_s
        return True
