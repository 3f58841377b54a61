"""Two feeds: one with whole texts, and one with a summary of a page."""

from datetime import UTC, datetime
from pathlib import Path

from flatline_connectors.feeds.connector import KIND, FeedsOptions
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.sites import on_sites
from tests.connectors.runtime.worlds.fetching import ScriptedFetcher

WHOLE, SUMMARIES = "https://whole.example/feed", "https://summaries.example/feed"
HERE = "https://yours.example/"
_START = "<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><title>F</title>"


def feed(*items: str) -> bytes:
    """Return a feed of these items."""
    return f"{_START}{''.join(items)}</channel></rss>".encode()


def item(url: str, text: str, *, element: str = "content:encoded") -> str:
    """Return an item with a text."""
    return f"<item><link>{url}</link><{element}><![CDATA[{text}]]></{element}></item>"


def link(name: str) -> str:
    """Return a link to an article."""
    return f"<a href='{HERE}{name}'>{name}</a>"


class FeedsWorld:
    """`flatline_connectors.feeds` as the contract's tests see it."""

    kind = KIND
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    options = FeedsOptions(feeds=(WHOLE, SUMMARIES))

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.fetcher = ScriptedFetcher(
            {
                WHOLE: feed(item("https://whole.example/1", link("a") + link("b"))),
                SUMMARIES: feed(item("https://summaries.example/1", "A page …", element="description")),
                "https://summaries.example/1": f"<p>{link('c')}".encode(),
            }
        )
        self.records: set[tuple[str, ...]] = set()
        self._expect("https://whole.example/1", "a", "b")
        self._expect("https://summaries.example/1", "c")

    def _expect(self, url_from: str, *names: str) -> None:
        self.records |= {("link", url_from, f"{HERE}{name}", "") for name in names}

    def resources(self) -> Resources:
        """Return what is lent."""
        return Resources(self.fetcher, on_sites(["yours.example"]), self._folder, self._folder / "work")

    def add(self) -> None:
        """Publish another post."""
        posts = [item(f"https://whole.example/{number}", link("a") + link("b")) for number in (2, 1)]
        self.fetcher.pages[WHOLE] = feed(*posts)
        self._expect("https://whole.example/2", "a", "b")

    def malform(self) -> None:
        """Answer with a page in place of a feed."""
        self.fetcher.pages[WHOLE] = b"<!doctype html><p>Moved"
        self.records = {name for name in self.records if "whole" not in name[1]}

    def limit_rate(self, retry_after_s: int) -> bool:
        """Be asked too often."""
        self.fetcher.retry_after_s = retry_after_s
        return True
