"""Hacker News' search, with more items about a site than one page shows, and one about another site."""

import html
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from flatline_connectors.hacker_news.connector import KIND, PAGE_HITS, HackerNewsOptions
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.sites import on_sites
from tests.connectors.runtime.worlds.fetching import ScriptedFetcher

ADDRESS = "https://hn.algolia.com/api/v1/search_by_date"
HERE = "https://yours.example/a"
TEXTS = ("url", "story_text", "comment_text")


class HackerNewsWorld:
    """`flatline_connectors.hacker_news` as the contract's tests see it, and the search itself.

    It answers as the documentation says: the newest first, by words in some attributes, between bounds of time, and no
    more than a thousand items of a query whatever the page.
    """

    kind = KIND
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    options = HackerNewsOptions(sites=["yours.example", "other.example"])

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.fetcher = ScriptedFetcher({ADDRESS: self._answer})
        self.items: list[dict[str, Any]] = []
        self.records: set[tuple[str, ...]] = set()
        for number in range(PAGE_HITS + 3):
            self.story(1_000 + number, self.now - timedelta(days=2, minutes=number // 3))
        self.comment(2_000, self.now - timedelta(hours=3), "https://www.other.example/b")
        self.add_item(2_001, self.now - timedelta(minutes=1), title="About nothing", url="https://unrelated.example/")

    def add_item(self, identifier: int, created_at: datetime, **fields: Any) -> None:
        """Post something."""
        times = {"created_at": created_at.isoformat(), "created_at_i": int(created_at.timestamp())}
        self.items.append({"objectID": str(identifier), "author": "somebody", **times, **fields})

    def story(self, identifier: int, created_at: datetime, url: str = HERE) -> None:
        """Post a story that is a link."""
        self.add_item(identifier, created_at, title="A story", url=url, points=1, num_comments=0)
        self._expect(identifier, url)

    def comment(self, identifier: int, created_at: datetime, url: str) -> None:
        """Post a comment with a link, escaped as the site does it."""
        address = html.escape(url).replace("/", "&#x2F;")
        text = f'See <a href="{address}" rel="nofollow">{address[:40]}...</a><p>or not.'
        self.add_item(identifier, created_at, comment_text=text, story_title="A story", story_id=1, parent_id=1)
        self._expect(identifier, url)

    def _expect(self, identifier: int, url: str) -> None:
        self.records.add(("link", f"https://news.ycombinator.com/item?id={identifier}", url, ""))

    def _answer(self, url: str) -> bytes:
        query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
        found = sorted(self.items, key=lambda item: -int(item["created_at_i"]))
        if words := query.get("query", "").strip('"'):
            searched = query["restrictSearchableAttributes"].split(",")
            assert set(searched) == set(TEXTS)
            found = [item for item in found if any(words in html.unescape(str(item.get(name))) for name in searched)]
        for bound in query.get("numericFilters", "").split(","):
            if bound.startswith("created_at_i>="):
                found = [item for item in found if item["created_at_i"] >= int(bound[14:])]
            elif bound:
                assert bound.startswith("created_at_i<="), bound
                found = [item for item in found if item["created_at_i"] <= int(bound[14:])]
        shown = found[: min(int(query["hitsPerPage"]), 1_000)]
        return msgspec.json.encode({"hits": shown, "nbHits": len(found), "page": 0, "exhaustiveNbHits": True})

    def resources(self) -> Resources:
        """Return what is lent."""
        is_ours = on_sites(self.options.sites) if self.options.sites else None
        return Resources(self.fetcher, is_ours, self._folder, self._folder / "work")

    def add(self) -> None:
        """Post another story."""
        self.story(3_000, self.now - timedelta(seconds=30))

    def malform(self) -> None:
        """Show an item without its number."""
        spoilt = self.items[0]
        self.records.discard(("link", f"https://news.ycombinator.com/item?id={spoilt['objectID']}", HERE, ""))
        spoilt["objectID"] = "?"

    def limit_rate(self, retry_after_s: int) -> bool:
        """Be asked too often."""
        self.fetcher.retry_after_s = retry_after_s
        return True
