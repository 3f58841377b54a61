"""Semrush's API v4: an index of links whose rows move while they are read, because the newest come first."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from flatline_connectors.runtime.config import Secret
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.semrush.connector import KIND, SemrushOptions
from flatline_connectors.sites import on_sites
from tests.connectors.runtime.worlds.fetching import ScriptedFetcher

ADDRESS = "https://api.semrush.com/apis/v4/backlinks/v1/links"
HERE = "https://yours.example/a"
KEY = "s3cr3t-key"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = 10


class SemrushIndex:
    """What Semrush knows, and its answers as the documentation has them. ``shown`` counts rows, by request."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.limit_max = 1_000_000
        self.shown: list[int] = []
        self.asked: list[dict[str, str]] = []

    def link(self, name: str, seen_at: datetime, last_at: datetime, **said: Any) -> dict[str, Any]:
        """Add a link."""
        row = {
            "source_url": f"https://{name}.example/",
            "target_url": HERE,
            "anchor": name,
            "page_score": 11,
            "is_new": seen_at > NOW - timedelta(days=30),
            "is_lost": False,
            "is_nofollow": False,
            "first_seen_at": f"{seen_at:%Y-%m-%dT%H:%M:%SZ}",
            "last_seen_at": f"{last_at:%Y-%m-%d %H:%M:%S}",  # the documentation doesn't say which shape
            **said,
        }
        self.rows.append(row)
        return row

    def answer(self, url: str) -> bytes:
        """Return the page that is asked for, of a target on yours.example."""
        query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
        self.asked.append(query)
        assert query["url"].endswith("yours.example")
        assert (query["direction"], query["format"]) == ("desc", "json")
        found = self.rows
        if "filter" in query:
            assert query["filter"] == "is_lost = true"
            found = [row for row in found if row["is_lost"]]
        found = sorted(found, key=lambda row: row[query["order_by"]], reverse=True)
        limit, offset = min(int(query["limit"]), self.limit_max), int(query["offset"])
        shown = found[offset : offset + limit]
        self.shown.append(len(shown))
        fields = query["fields"].split(",")
        meta = {"success": True, "status_code": 200, "limit": str(limit), "offset": offset, "total": len(found)}
        data = [{field: row[field] for field in fields if field in row} for row in shown]
        return msgspec.json.encode({"meta": meta, "error": None, "data": data})


class SemrushWorld:
    """Links and losses of more than two pages each."""

    kind = KIND
    now = NOW

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "key").write_text(f"{KEY}\n")
        self.options = SemrushOptions(key=Secret(file="key"), sites=["yours.example"], rows=ROWS)
        self.index = SemrushIndex()
        self.fetcher = ScriptedFetcher({ADDRESS: self.index.answer})
        self.records: set[tuple[str, ...]] = set()
        for number in range(2 * ROWS + 3):
            self.link(f"link{number}", self.now - timedelta(days=10, hours=number // 2))
        for number in range(ROWS + 2):
            self.loss(f"loss{number}", self.now - timedelta(days=40), self.now - timedelta(days=9, hours=number))

    def link(self, name: str, seen_at: datetime) -> None:
        """Add a link, and expect it."""
        self.index.link(name, seen_at, self.now)
        self.records.add(("link", f"https://{name}.example/", HERE, ""))

    def loss(self, name: str, seen_at: datetime, last_at: datetime) -> None:
        """Add a lost link, and expect both that it was there and that it is lost."""
        self.index.link(name, seen_at, last_at, is_lost=True)
        self.records |= {("link", f"https://{name}.example/", HERE, change) for change in ("", "lost")}

    def resources(self) -> Resources:
        """Return what is lent."""
        return Resources(self.fetcher, on_sites(["yours.example"]), self._folder, self._folder / "work")

    def add(self) -> None:
        """See a link that the index gets late, and find one lost that was seen last three weeks ago."""
        self.link("late", self.now - timedelta(days=11))
        self.loss("gone", self.now - timedelta(days=50), self.now - timedelta(days=21))

    def malform(self) -> None:
        """Leave out of a row which page it is about."""
        del self.index.rows[ROWS]["source_url"]
        self.records.discard(("link", f"https://link{ROWS}.example/", HERE, ""))

    def limit_rate(self, retry_after_s: int) -> bool:
        """Be asked too often."""
        self.fetcher.retry_after_s = retry_after_s
        return True
