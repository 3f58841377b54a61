"""Majestic's command GetBackLinkData: links by the trust flow of their pages, lost ones among them, by offset."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from flatline_connectors.majestic.connector import KIND, MajesticOptions
from flatline_connectors.runtime.config import Secret
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.sites import on_sites
from tests.connectors.runtime.worlds.fetching import ScriptedFetcher

ADDRESS = "https://api.majestic.com/api/json"
HERE = "https://yours.example/a"
KEY = "S3CR3T/key+=="
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = 10


class MajesticIndex:
    """What Majestic knows, and its answers as the documentation has them. ``shown`` counts rows, by request."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.shown: list[int] = []
        self.asked: list[dict[str, str]] = []
        self.says_totals = True

    def answer(self, url: str) -> bytes:
        """Return the page that is asked for, of a target on yours.example."""
        query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
        self.asked.append(query)
        if query["app_api_key"] != KEY:
            return error("InvalidAPIKey", f"{query['app_api_key']} is no API key")
        assert query["item"].endswith("yours.example")
        assert not query["item"].startswith("www.")
        assert (query["cmd"], query["Mode"], query["datasource"]) == ("GetBackLinkData", "0", "fresh")
        assert 1 <= int(query["Count"]) <= 50_000
        offset = int(query["From"])
        found = sorted(self.rows, key=lambda row: -row["SourceTrustFlow"])
        shown = found[offset : offset + int(query["Count"])]
        self.shown.append(len(shown))
        headers = {"Item": query["item"], **({"TotalLines": len(found)} if self.says_totals else {})}
        answer = {
            "Code": "OK",
            "ErrorMessage": "",
            "FullError": "",
            "ChargedAnalysisResUnits": "5000",
            "ChargedRetrievalResUnits": str(len(shown)),
            "DataTables": {"BackLinks": {"Headers": headers, "Data": shown}},
        }
        return msgspec.json.encode(answer)


class MajesticWorld:
    """Links of more than two pages, some of them lost, and a mention, which is no link."""

    kind = KIND
    now = NOW

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "key").write_text(f"{KEY}\n")
        self.options = MajesticOptions(key=Secret(file="key"), sites=["www.yours.example"], rows=ROWS)
        self.index = MajesticIndex()
        self.fetcher = ScriptedFetcher({ADDRESS: self.index.answer})
        self.records: set[tuple[str, ...]] = set()
        for number in range(2 * ROWS + 3):
            self.link(f"link{number}", self.now - timedelta(days=10 + number), trust=number % 9)
        self.lose("link5", self.now - timedelta(days=2))
        self.link("mention", self.now - timedelta(days=9), FlagMention=1)
        self.records.discard(("link", "https://mention.example/", HERE, ""))

    def link(self, name: str, seen_at: datetime, *, trust: int = 1, **said: Any) -> None:
        """Add a link, and expect it."""
        row = {
            "SourceURL": f"https://{name}.example/",
            "AnchorText": name,
            "FlagRedirect": 0,
            "FlagNoFollow": 0,
            "FlagDeleted": 0,
            "FlagMention": 0,
            "TargetURL": HERE,
            "FirstIndexedDate": f"{seen_at:%Y-%m-%d}",
            "LastSeenDate": f"{self.now:%Y-%m-%d}",
            "DateLost": "",
            "ReasonLost": "",
            "SourceTrustFlow": trust,
            **said,
        }
        self.index.rows.append(row)
        self.records.add(("link", f"https://{name}.example/", HERE, ""))

    def lose(self, name: str, lost_at: datetime) -> None:
        """Lose a link, and expect that."""
        row = next(row for row in self.index.rows if row["AnchorText"] == name)
        row |= {"FlagDeleted": 1, "DateLost": f"{lost_at:%Y-%m-%d}", "ReasonLost": "LinkRemoved"}
        self.records.add(("link", f"https://{name}.example/", HERE, "lost"))

    def resources(self) -> Resources:
        """Return what is lent."""
        return Resources(self.fetcher, on_sites(["yours.example"]), self._folder, self._folder / "work")

    def add(self) -> None:
        """See a link on a better page than all others, which moves them down, and lose one."""
        self.link("late", self.now - timedelta(days=1), trust=90)
        self.lose("link7", self.now)

    def malform(self) -> None:
        """Leave out of a row which page it is about."""
        self.index.rows[ROWS]["SourceURL"] = ""
        self.records.discard(("link", f"https://link{ROWS}.example/", HERE, ""))

    def limit_rate(self, retry_after_s: int) -> bool:
        """Be asked too often."""
        self.fetcher.retry_after_s = retry_after_s
        return True


def error(code: str, message: str) -> bytes:
    """Return an error, which comes with HTTP status 200."""
    return msgspec.json.encode({"Code": code, "ErrorMessage": message, "FullError": message, "DataTables": {}})
