"""An account of webmention.io with more mentions than one page shows."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from flatline_connectors.runtime.config import Secret
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.sites import on_sites
from flatline_connectors.webmention_io.connector import KIND, PAGE_MENTIONS, WebmentionIoOptions
from tests.connectors.runtime.worlds.fetching import ScriptedFetcher

ADDRESS = "https://webmention.io/api/mentions.jf2"
HERE = "https://yours.example/a"


class WebmentionIoWorld:
    """`flatline_connectors.webmention_io` as the contract's tests see it, and the service itself."""

    kind = KIND
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    options = WebmentionIoOptions(token=Secret(file="token"))

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "token").write_text("the token\n")
        self.fetcher = ScriptedFetcher({ADDRESS: self._answer})
        self.mentions: list[dict[str, Any]] = []
        self.records: set[tuple[str, ...]] = set()
        for number in range(PAGE_MENTIONS + 3):
            self.mention((number + 1) * 7)

    def mention(self, identifier: int, received: str = "2026-02-28T10:00:00Z") -> None:
        """Receive a mention."""
        source = f"https://a.example/{identifier}"
        self.mentions.append(
            {"wm-id": identifier, "wm-source": source, "wm-target": HERE, "wm-received": received, "wm-private": False}
        )
        self.records.add(("link", source, HERE, ""))

    def _answer(self, url: str) -> bytes:
        query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
        assert (query["token"], query["sort-dir"]) == ("the token", "up")
        shown = sorted(self.mentions, key=lambda mention: str(mention["wm-id"]).zfill(9))
        shown = [
            mention
            for mention in shown
            if isinstance(mention["wm-id"], str) or mention["wm-id"] > int(query["since_id"])
        ]
        return msgspec.json.encode({"type": "feed", "children": shown[: int(query["per-page"])]})

    def resources(self) -> Resources:
        """Return what is lent."""
        return Resources(self.fetcher, on_sites(["yours.example"]), self._folder, self._folder / "work")

    def add(self) -> None:
        """Receive another one."""
        self.mention(9_999, "2026-03-01T11:00:00Z")

    def malform(self) -> None:
        """Show a mention without its number."""
        spoilt = self.mentions[-1]
        spoilt["wm-id"] = "?"
        self.records.discard(("link", spoilt["wm-source"], HERE, ""))

    def limit_rate(self, retry_after_s: int) -> bool:
        """Be asked too often."""
        self.fetcher.retry_after_s = retry_after_s
        return True
