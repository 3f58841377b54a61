"""A folder with files of three formats."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flatline_connectors.folder.connector import KIND, FolderOptions
from flatline_connectors.runtime.connector import Resources
from tests.connectors.runtime.worlds.fetching import NoFetcher

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE = "https://yours.example/a"
SHEET = "Found on,Our page\nhttps://b.example/1,https://yours.example/a\nhttps://b.example/2,https://yours.example/b\n"


def ours(*urls_from: str) -> str:
    """Return lines of our own format."""
    return "".join(json.dumps({"url_from": url, "url_to": HERE}) + "\n" for url in urls_from)


class FolderWorld:
    """`flatline_connectors.folder` as the contract's tests see it."""

    kind = KIND
    now = NOW
    options = FolderOptions(folder="drop", columns={"url_from": "Found on", "url_to": "Our page"})

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.records: set[tuple[str, ...]] = set()
        (folder / "drop").mkdir()
        self._drop("a.ndjson", ours("https://a.example/1", "https://a.example/2"))
        self._drop("b.csv", SHEET)
        self._drop("c.ndjson", ours("https://c.example/1"))
        self._expect("https://a.example/1", "https://a.example/2", "https://c.example/1", "https://b.example/1")
        self.records.add(("link", "https://b.example/2", "https://yours.example/b", ""))

    def _expect(self, *urls_from: str) -> None:
        self.records |= {("link", url, HERE, "") for url in urls_from}

    def _drop(self, name: str, content: str | bytes) -> None:
        path = self._folder / "drop" / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        changed_s = (NOW - timedelta(hours=1)).timestamp()
        os.utime(path, (changed_s, changed_s))

    def resources(self) -> Resources:
        """Return what is lent: no fetcher."""
        return Resources(NoFetcher(), None, self._folder, self._folder / "work")

    def add(self) -> None:
        """Drop another file."""
        self._drop("d.ndjson", ours("https://d.example/1"))
        self._expect("https://d.example/1")

    def malform(self) -> None:
        """Spoil the sheet."""
        self._drop("b.csv", b"PK\x03\x04 this was an archive")
        self.records = {name for name in self.records if "https://b.example/" not in name[1]}

    def limit_rate(self, _retry_after_s: int) -> bool:
        """Nobody is asked."""
        return False
