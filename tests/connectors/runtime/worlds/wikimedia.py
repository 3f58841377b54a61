"""Wikimedia's stream of changed links: two data centres, of which one has only canary events."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from flatline_connectors.fetching.sse import Message
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.sites import on_sites
from flatline_connectors.wikimedia.connector import KIND, WikimediaOptions
from tests.connectors.runtime.worlds.streaming import ScriptedStreams

HERE = "https://yours.example/a"
WIKI = "https://en.wiki.example/wiki/"


class WikimediaWorld:
    """`flatline_connectors.wikimedia` as the contract's tests see it, and the stream itself.

    What it answers begins with the message of the id that it is given once more, as it does where ids hold times.
    """

    kind = KIND
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    options = WikimediaOptions(sites=["yours.example"], backfill="1h")

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.fetcher = ScriptedStreams(self._answer)
        self.said: list[tuple[datetime, str]] = []
        self.kept_from = datetime.min.replace(tzinfo=UTC)
        self.records: set[tuple[str, ...]] = set()
        self.edit("Before", self.now - timedelta(hours=3))
        self.records.clear()  # that is before the beginning
        for number in range(4):
            self.edit(f"Page_{number}", self.now - timedelta(minutes=50 - number))
            self.canary(self.now - timedelta(minutes=50 - number, seconds=30))
        self.edit("Other", self.now - timedelta(minutes=3), url="https://unrelated.example/")
        self.edit("Page_1", self.now - timedelta(minutes=2), change="lost")
        self.canary(self.now - timedelta(seconds=5))

    def edit(self, title: str, at: datetime, *, url: str = HERE, change: str = "gained") -> None:
        """Change a page: it gains a link, or loses one."""
        links = [{"link": "/wiki/Solanum", "external": False}, {"link": url, "external": True}]
        self._say(at, f"{WIKI}{title}", **{"added_links" if change == "gained" else "removed_links": links})
        if url == HERE:
            self.records.add(("link", f"{WIKI}{title}", url, "" if change == "gained" else change))

    def canary(self, at: datetime) -> None:
        """Show that the stream is alive."""
        self._say(at, "https://canary/", domain="canary", added_links=[{"link": HERE, "external": True}])

    def _say(self, at: datetime, uri: str, *, domain: str = "en.wiki.example", **fields: Any) -> None:
        meta = {"uri": uri, "dt": at.isoformat(), "domain": domain, "id": str(len(self.said))}
        change = {"meta": meta, "page_title": uri.rpartition("/")[2], "page_namespace": 0, **fields}
        self.said.append((at, msgspec.json.encode(change).decode()))

    def _answer(self, url: str, last_event_id: str) -> list[Message]:
        messages = [Message(data, f'[{{"topic": "t", "offset": {n}}}]') for n, (_, data) in enumerate(self.said)]
        kept = [n for n, (at, _) in enumerate(self.said) if at >= self.kept_from]
        first = 0
        if last_event_id:
            first = next(n for n, message in enumerate(messages) if message.id == last_event_id)
        elif since := parse_qs(urlsplit(url).query).get("since"):
            begin = datetime.fromisoformat(since[0])
            first = next((n for n, (at, _) in enumerate(self.said) if at >= begin), len(messages))
        return [messages[n] for n in kept if n >= first]

    def resources(self) -> Resources:
        """Return what is lent."""
        return Resources(self.fetcher, on_sites(["yours.example"]), self._folder, self._folder / "work")

    def add(self) -> None:
        """Change another page."""
        self.edit("New", self.now - timedelta(seconds=1))

    def malform(self) -> None:
        """Spoil an event."""
        self.said[1] = (self.said[1][0], "{")
        self.records.discard(("link", f"{WIKI}Page_0", HERE, ""))

    def limit_rate(self, retry_after_s: int) -> bool:
        """Be asked too often."""
        self.fetcher.retry_after_s = retry_after_s
        return True
