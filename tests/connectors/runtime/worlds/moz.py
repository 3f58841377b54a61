"""Moz's Links API v2: links by the authority of their pages, in pages of which each names the next."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from flatline_connectors.moz.connector import KIND, MozOptions
from flatline_connectors.runtime.config import Secret
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.sites import on_sites
from tests.connectors.runtime.worlds.fetching import ScriptedFetcher

ADDRESS = "https://lsapi.seomoz.com/v2/links"
HERE = "https://yours.example/a"
KEY = "mozscape-id:s3cr3t+key/=="
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = 10


class MozIndex:
    """What Moz knows, and its answers as the documentation has them. ``shown`` counts rows, by request."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.shown: list[int] = []
        self.asked: list[dict[str, Any]] = []

    def answer(self, posted: str) -> bytes:
        """Return the page that is asked for, of a target on yours.example."""
        query = msgspec.json.decode(posted)
        self.asked.append(query)
        assert query["target"].endswith("yours.example")
        assert (query["filter"], query["target_scope"]) == ("external", "root_domain")
        assert 1 <= query["limit"] <= 50
        offset = int(query.get("next_token", "after-0").removeprefix("after-"))
        found = sorted(self.rows, key=lambda row: -row["source"]["page_authority"])
        shown = found[offset : offset + query["limit"]]
        self.shown.append(len(shown))
        reached = offset + len(shown)
        return msgspec.json.encode(
            {"next_token": f"after-{reached}" if reached < len(found) else None, "results": shown}
        )


class MozWorld:
    """Links of more than two pages, some of them lost."""

    kind = KIND
    now = NOW

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "key").write_text(f"{KEY}\n")
        self.options = MozOptions(key=Secret(file="key"), sites=["yours.example"], rows=ROWS)
        self.index = MozIndex()
        self.fetcher = ScriptedFetcher({ADDRESS: self.index.answer})
        self.records: set[tuple[str, ...]] = set()
        for number in range(2 * ROWS + 3):
            self.link(f"link{number}", self.now - timedelta(days=10 + number), authority=number % 9)
        self.lose("link5", self.now - timedelta(days=2))

    def link(self, name: str, seen_at: datetime, *, authority: int = 1) -> None:
        """Add a link, and expect it."""
        row = {
            "source": {"page": f"{name}.example/", "page_authority": authority, "domain_authority": 11},
            "target": {"page": HERE.removeprefix("https://")},
            "anchor_text": name,
            "nofollow": False,
            "date_first_seen": f"{seen_at:%Y-%m-%d}",
            "date_last_seen": f"{self.now:%Y-%m-%d}",
            "date_disappeared": "",
        }
        self.index.rows.append(row)
        self.records.add(("link", f"https://{name}.example/", HERE, ""))

    def lose(self, name: str, lost_at: datetime) -> None:
        """Lose a link, and expect that."""
        row = next(row for row in self.index.rows if row["anchor_text"] == name)
        row["date_disappeared"] = f"{lost_at:%Y-%m-%d}"
        self.records.add(("link", f"https://{name}.example/", HERE, "lost"))

    def resources(self) -> Resources:
        """Return what is lent."""
        return Resources(self.fetcher, on_sites(["yours.example"]), self._folder, self._folder / "work")

    def add(self) -> None:
        """See a link on a better page than all others, which moves them down, and lose one."""
        self.link("late", self.now - timedelta(days=1), authority=90)
        self.lose("link7", self.now)

    def malform(self) -> None:
        """Leave out of a row which page it is about."""
        del self.index.rows[ROWS]["source"]["page"]
        self.records.discard(("link", f"https://link{ROWS}.example/", HERE, ""))

    def limit_rate(self, retry_after_s: int) -> bool:
        """Be asked too often."""
        self.fetcher.retry_after_s = retry_after_s
        return True
