"""Known links of every kind, two to a page of the API, and the pages that they are on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from flatline_connectors.fetching.outcomes import Fetched, Outcome
from flatline_connectors.recheck.connector import KIND, RecheckOptions
from flatline_connectors.runtime.config import Secret
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.runtime.own_api import ApiAnswer
from flatline_connectors.sites import on_sites

HERE = "https://yours.example/a"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOKEN = "s3cr3t-token"
WITH_LINK = f"<p>Read <a href='{HERE}'>this</a>.</p>".encode()
WITHOUT = b"<p>Read <a href='https://elsewhere.example/'>that</a>.</p>"
_ROWS = 2


class RecheckWorld:
    """An API of known links, and the pages these are on."""

    kind = KIND
    now = NOW

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "token").write_text(TOKEN)
        self.options = RecheckOptions(token=Secret(file="token"), sites=["yours.example"])
        self.rows: list[dict[str, Any]] = []
        self.pages: dict[str, Fetched] = {}
        self.records: set[tuple[str, ...]] = set()
        self.retry_after_s: int | None = None
        self.is_spoilt = False
        self.asked: list[str] = []
        for number in range(3):
            self.link(f"lost{number}", 1, is_live=False, found=Outcome.GONE, said="lost")
        self.link("back", 2, is_live=False, body=WITH_LINK, said="")
        self.link("doubted", 5, suspected=True, body=WITHOUT, said="suspected")
        for number in range(5):
            self.link(f"old{number}", 40 + number, body=WITH_LINK, said="")
        self.link("walled", 50, found=Outcome.DENIED)
        self.link("fresh", 3, body=WITHOUT)

    def link(
        self,
        name: str,
        days_ago: int,
        *,
        is_live: bool = True,
        suspected: bool = False,
        found: Outcome = Outcome.FETCHED,
        body: bytes = b"",
        said: str | None = None,
    ) -> None:
        """Add a link that changed so many days ago. ``said``: the change that a look at it says."""
        url, at = f"https://{name}.example/post", self.now - timedelta(days=days_ago)
        changes = [
            {"at": at.isoformat(), "change": "gained" if is_live else "lost", "source": "vendor", "reason": None}
        ]
        self.rows.append(
            {
                "article": HERE,
                "url_from": url,
                "url_to": HERE,
                "is_live": is_live,
                "changed_at": at.isoformat(),
                "changes": changes,
                "suspected": suspected,
            }
        )
        self.pages[url] = Fetched(found, url, body=body, content_type="text/html")
        if said is not None:
            self.records.add(("link", url, HERE, said))

    async def ask(self, url: str, /, *, token: str | None) -> ApiAnswer:
        """Answer as the API does."""
        assert token == TOKEN
        query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
        if self.retry_after_s is not None:
            pause_s, self.retry_after_s = self.retry_after_s, None
            return ApiAnswer(503, b"{}", pause_s)
        at = int(query.get("cursor", "0"))
        if self.is_spoilt and at and query.get("sort") == "changed":
            return ApiAnswer(200, b'{"rows": [{}]')
        chosen: list[Callable[[dict[str, Any]], bool]] = [
            lambda row: "live" not in query or row["is_live"] == (query["live"] == "true"),
            lambda row: "suspected" not in query or row["suspected"],
        ]
        rows = [row for row in self.rows if all(fits(row) for fits in chosen)]
        rows.sort(key=lambda row: row["changed_at"], reverse=query["sort"].startswith("-"))
        following = str(at + _ROWS) if at + _ROWS < len(rows) else None
        return ApiAnswer(200, msgspec.json.encode({"rows": rows[at : at + _ROWS], "next": following}))

    async def fetch(self, url: str, **_how: object) -> Fetched:
        """Fetch a page."""
        self.asked.append(url)
        return self.pages[url]

    def resources(self) -> Resources:
        """Return what is lent."""
        ours = on_sites(["yours.example"])
        return Resources(self, ours, self._folder, self._folder / "work", own_api=self.ask)  # type: ignore[arg-type] # it only fetches

    def add(self) -> None:
        """Call another link lost, wrongly."""
        self.link("slandered", 0, is_live=False, body=WITH_LINK, said="")

    def malform(self) -> None:
        """Break off the API's answer on the second page of the oldest links."""
        self.is_spoilt = True
        self.records -= {("link", f"https://old{number}.example/post", HERE, "") for number in range(4)}

    def limit_rate(self, retry_after_s: int) -> bool:
        """Have the API ask for a pause."""
        self.retry_after_s = retry_after_s
        return True
