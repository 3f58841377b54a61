"""The API of Bing Webmaster Tools: your pages by how many links they have, and the links of each, by page number."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from flatline_connectors.bing.connector import KIND, BingOptions
from flatline_connectors.runtime.config import Secret
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.sites import on_sites
from tests.connectors.runtime.worlds.fetching import ScriptedFetcher

ADDRESS = "https://ssl.bing.com/webmaster/api.svc/json/"
SITE = "https://yours.example/"
KEY = "S3CR3T/key+=="
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = 3


class BingIndex:
    """What Bing knows, and its answers as the documentation has them. ``links``: by our page, rows in their order."""

    def __init__(self) -> None:
        self.links: dict[str, list[Any]] = {}
        self.gone: set[str] = set()
        self.asked: list[dict[str, str]] = []

    def answer(self, url: str) -> bytes:
        """Return the page that is asked for."""
        query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
        self.asked.append(query)
        if query["apikey"] != KEY:
            return error(3, f"InvalidApiKey {query['apikey']}")
        if query["siteUrl"] != SITE:
            return error(7, "InvalidUrl")
        page = int(query["page"])
        if "/GetLinkCounts" in url:
            counts = [{"Count": len(rows), "Url": each} for each, rows in self.links.items() if rows]
            counts.sort(key=lambda row: (-row["Count"], row["Url"]))
            return _page("Links", counts, page)
        assert "/GetUrlLinks" in url
        if query["link"] in self.gone:
            return error(7, "InvalidUrl")
        return _page("Details", self.links.get(query["link"], []), page)


class BingWorld:
    """More than a page of pages that have links, one of which has more than a page of them."""

    kind = KIND
    now = NOW

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "key").write_text(f"{KEY}\n")
        self.options = BingOptions(key=Secret(file="key"), sites=["yours.example"])
        self.index = BingIndex()
        self.fetcher = ScriptedFetcher(
            {f"{ADDRESS}{method}": self.index.answer for method in ("GetLinkCounts", "GetUrlLinks")}
        )
        self.records: set[tuple[str, ...]] = set()
        for number in range(2 * ROWS + 1):
            self.link(f"one{number}", f"{SITE}{number}")
        for number in range(2 * ROWS):
            self.link(f"more{number}", f"{SITE}0")

    def link(self, name: str, url_to: str) -> None:
        """Add a link, and expect it."""
        row = {"AnchorText": name, "Url": f"https://{name}.example/"}
        self.index.links.setdefault(url_to, []).append(row)
        self.records.add(("link", f"https://{name}.example/", url_to, ""))

    def resources(self) -> Resources:
        """Return what is lent."""
        return Resources(self.fetcher, on_sites(["yours.example"]), self._folder, self._folder / "work")

    def add(self) -> None:
        """See two links, one of them the first of a page."""
        self.link("late", f"{SITE}0")
        self.link("first", f"{SITE}new")

    def malform(self) -> None:
        """Leave out of a row which page it is about."""
        del self.index.links[f"{SITE}0"][1]["Url"]
        self.records.discard(("link", "https://more0.example/", f"{SITE}0", ""))

    def limit_rate(self, retry_after_s: int) -> bool:
        """Be asked too often."""
        self.fetcher.retry_after_s = retry_after_s
        return True


def error(code: int, message: str) -> bytes:
    """Return an error as Bing has it."""
    return msgspec.json.encode({"ErrorCode": code, "Message": f"ERROR!!! {message}"})


def _page(name: str, rows: list[Any], number: int) -> bytes:
    kind = {"Links": "LinkCount", "Details": "LinkDetail"}[name]
    shown = [{"__type": f"{kind}:#Microsoft.Bing.Webmaster.Api", **row} for row in rows[number * ROWS :][:ROWS]]
    return msgspec.json.encode({"d": {name: shown, "TotalPages": -(-len(rows) // ROWS)}})
