"""Bluesky's Jetstream: posts, deletions and other messages, in the order of their times."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from flatline_connectors.bluesky.connector import KIND, BlueskyOptions
from flatline_connectors.fetching.sse import Message
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.sites import on_sites
from tests.connectors.runtime.worlds.streaming import ScriptedStreams

HERE = "https://yours.example/a"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_us(at: datetime) -> int:
    """Return a time as Jetstream writes it."""
    return (at - EPOCH) // timedelta(microseconds=1)


def post(*urls: str, **fields: Any) -> dict[str, Any]:
    """Return a post whose text is addresses that are links."""
    text, facets = "See", []
    for url in urls:
        begin = len(text.encode()) + 1
        text += f" {url}"
        features = [{"$type": "app.bsky.richtext.facet#link", "uri": url}]
        facets.append({"index": {"byteStart": begin, "byteEnd": len(text.encode())}, "features": features})
    return {"$type": "app.bsky.feed.post", "text": text, "facets": facets, "langs": ["en"], **fields}


class BlueskyWorld:
    """`flatline_connectors.bluesky` as the contract's tests see it, and the stream itself.

    It answers from the cursor on, which it includes, or from the oldest message that it keeps.
    """

    kind = KIND
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    options = BlueskyOptions(sites=["yours.example"], backfill="1h")

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.fetcher = ScriptedStreams(self._answer)
        self.said: list[tuple[int, str]] = []
        self.records: set[tuple[str, ...]] = set()
        self.commit("old", self.now - timedelta(hours=2), record=post("https://yours.example/before"))
        for number in range(5):
            self.post(f"p{number}", self.now - timedelta(minutes=30 - number))
        self.commit("p2", self.now - timedelta(minutes=20), operation="delete")
        self.records.add(("link", self._page("p2"), HERE, "lost"))
        self.commit("none", self.now - timedelta(minutes=19), record=post("https://unrelated.example/"))
        self.say(self.now - timedelta(seconds=5), kind="identity", identity={"handle": "a.example"})

    def post(self, rkey: str, at: datetime) -> None:
        """Post a link."""
        self.commit(rkey, at, record=post(HERE))
        self.records.add(("link", self._page(rkey), HERE, ""))

    def commit(self, rkey: str, at: datetime, *, operation: str = "create", **fields: Any) -> None:
        """Make, change or delete a post."""
        commit = {"rev": "r", "operation": operation, "collection": "app.bsky.feed.post", "rkey": rkey, **fields}
        self.say(at, kind="commit", commit=commit)

    def say(self, at: datetime, *, did: str = "did:plc:a", **fields: Any) -> None:
        """Say anything."""
        said = {"did": did, "time_us": time_us(at), **fields}
        self.said.append((time_us(at), msgspec.json.encode(said).decode()))

    def _page(self, rkey: str) -> str:
        return f"https://bsky.app/profile/did:plc:a/post/{rkey}"

    def _answer(self, url: str, _last_event_id: str) -> list[Message]:
        query = parse_qs(urlsplit(url).query)
        assert query["wantedCollections"] == ["app.bsky.feed.post"]
        return [Message(data) for at_us, data in self.said if at_us >= int(query["cursor"][0])]

    def resources(self) -> Resources:
        """Return what is lent."""
        return Resources(self.fetcher, on_sites(["yours.example"]), self._folder, self._folder / "work")

    def add(self) -> None:
        """Post something new."""
        self.post("new", self.now - timedelta(seconds=1))

    def malform(self) -> None:
        """Spoil a message."""
        self.said[1] = (self.said[1][0], "{")
        self.records.discard(("link", self._page("p0"), HERE, ""))

    def limit_rate(self, retry_after_s: int) -> bool:
        """Be asked too often."""
        self.fetcher.retry_after_s = retry_after_s
        return True
