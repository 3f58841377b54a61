"""Ahrefs' API v3: an index of links by when they were first seen, and of losses by when these were discovered."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from flatline_connectors.ahrefs.connector import KIND, AhrefsOptions
from flatline_connectors.runtime.config import Secret
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.sites import on_sites
from tests.connectors.runtime.worlds.fetching import ScriptedFetcher

ADDRESS = "https://api.ahrefs.com/v3/site-explorer/all-backlinks"
HERE = "https://yours.example/a"
KEY = "s3cr3t-key"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = 10


class AhrefsIndex:
    """What Ahrefs knows, and its answers as the documentation has them.

    ``rows_max``  what the plan allows: a request for more gets so many, and nothing says so
    ``charged``   units, by request
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.rows_max = 1_000_000
        self.charged: list[int] = []
        self.asked: list[dict[str, str]] = []

    def link(self, name: str, seen_at: datetime, **said: Any) -> dict[str, Any]:
        """Add a link."""
        row = {
            "url_from": f"https://{name}.example/",
            "url_to": HERE,
            "title": f"About {name}",
            "anchor": name,
            "first_seen_link": _written(seen_at),
            "last_visited": _written(seen_at + timedelta(hours=1)),
            "last_seen": None,
            "is_lost": False,
            "discovered_status": "linkfound",
            "lost_reason": None,
            "drop_reason": None,
            "link_type": "text",
            "is_nofollow": False,
            "languages": ["en", None],
            "url_redirect": None,
            **said,
        }
        self.rows.append(row)
        return row

    def loss(self, name: str, seen_at: datetime, lost_at: datetime, reason: str | None = "removedfromhtml") -> None:
        """Add a link that was lost; without a reason it was only dropped from the index."""
        said = {"lost_reason": reason, "drop_reason": None if reason else "notop"}
        self.link(name, seen_at, is_lost=True, last_seen=_written(lost_at), **said)

    def answer(self, url: str) -> bytes:
        """Return the page that is asked for, of a target on yours.example."""
        query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
        self.asked.append(query)
        assert query["target"].endswith("yours.example")
        assert (query["aggregation"], query["output"]) == ("all", "json")
        column, _, direction = query["order_by"].partition(":")
        assert direction == "asc"
        found = [
            row for row in self.rows if all(_fits(row, each) for each in msgspec.json.decode(query["where"])["and"])
        ]
        since = date.fromisoformat(query["history"].removeprefix("since:"))
        found = [row for row in found if not row["is_lost"] or _instant(row["last_seen"]).date() >= since]
        found = sorted(found, key=lambda row: row[column])[: min(int(query["limit"]), self.rows_max)]
        fields = query["select"].split(",")
        self.charged.append(max(50, len(found) * len(fields)))
        shown = [{field: row.get(field) for field in fields} for row in found]
        return msgspec.json.encode({"backlinks": shown})


class AhrefsWorld:
    """Links and losses of more than two pages each, one of them a dropped one."""

    kind = KIND
    now = NOW

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "key").write_text(f"{KEY}\n")
        self.options = AhrefsOptions(key=Secret(file="key"), sites=["yours.example"], rows=ROWS)
        self.index = AhrefsIndex()
        self.fetcher = ScriptedFetcher({ADDRESS: self.index.answer})
        self.records: set[tuple[str, ...]] = set()
        for number in range(2 * ROWS + 3):
            self.link(f"link{number}", self.now - timedelta(days=30, hours=-number // 2))
        for number in range(ROWS + 2):
            self.loss(f"loss{number}", self.now - timedelta(days=200), self.now - timedelta(days=3, hours=number))
        self.index.loss("dropped", self.now - timedelta(days=200), self.now - timedelta(days=3), None)
        self.records.add(("link", "https://dropped.example/", HERE, ""))

    def link(self, name: str, seen_at: datetime) -> None:
        """Add a link, and expect it."""
        self.index.link(name, seen_at)
        self.records.add(("link", f"https://{name}.example/", HERE, ""))

    def loss(self, name: str, seen_at: datetime, lost_at: datetime) -> None:
        """Add a lost link, and expect both that it was there and that it is lost."""
        self.index.loss(name, seen_at, lost_at)
        self.records |= {("link", f"https://{name}.example/", HERE, change) for change in ("", "lost")}

    def resources(self) -> Resources:
        """Return what is lent."""
        return Resources(self.fetcher, on_sites(["yours.example"]), self._folder, self._folder / "work")

    def add(self) -> None:
        """See a link that the index gets late, and lose one."""
        self.link("late", self.now - timedelta(days=30, hours=10))
        self.loss("gone", self.now - timedelta(days=150), self.now - timedelta(hours=1))

    def malform(self) -> None:
        """Leave out of a row which page it is about."""
        self.index.rows[ROWS]["url_from"] = None
        self.records.discard(("link", f"https://link{ROWS}.example/", HERE, ""))

    def limit_rate(self, retry_after_s: int) -> bool:
        """Be asked too often."""
        self.fetcher.retry_after_s = retry_after_s
        return True


def _fits(row: dict[str, Any], condition: dict[str, Any]) -> bool:
    value, (operator, wanted) = row[condition["field"]], condition["is"]
    if operator == "eq":
        return bool(value == wanted)
    assert operator == "gte"
    return value is not None and _instant(value) >= _instant(wanted)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _written(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
