"""DataForSEO's API v3: an index of links and losses, read by tokens that are good for one question only."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from flatline_connectors.dataforseo.connector import KIND, DataForSeoOptions
from flatline_connectors.runtime.config import Secret
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.sites import on_sites
from tests.connectors.runtime.worlds.fetching import ScriptedFetcher

ADDRESS = "https://api.dataforseo.com/v3/backlinks/backlinks/live"
HERE = "https://yours.example/a"
KEY = "ada@yours.example:s3cr3t-password"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = 10


class DataForSeoIndex:
    """What DataForSEO knows, and its answers as the documentation has them.

    ``usd``     what was charged, by request
    ``tokens``  what each token stands for: its question, and the last row of the page
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.usd: list[float] = []
        self.asked: list[dict[str, Any]] = []
        self.tokens: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {}

    def link(self, name: str, seen_at: datetime, last_at: datetime, **said: Any) -> dict[str, Any]:
        """Add a link."""
        row = {
            "type": "backlink",
            "url_from": f"https://{name}.example/",
            "url_to": HERE,
            "domain_from_rank": 41,
            "page_from_status_code": 200,
            "first_seen": _written(seen_at),
            "last_seen": _written(last_at),
            "is_lost": False,
            "item_type": "anchor",
            "attributes": None,
            "dofollow": True,
            "original": False,
            "anchor": name,
            "links_count": 1,
            **said,
        }
        self.rows.append(row)
        return row

    def answer(self, posted: str) -> bytes:
        """Return the page that is asked for, of a target on yours.example."""
        (task,) = msgspec.json.decode(posted)
        self.asked.append(task)
        assert task["target"].endswith("yours.example")
        assert not task["target"].startswith("www.")
        assert (task["mode"], task["rank_scale"]) == ("as_is", "one_hundred")
        question = {name: said for name, said in task.items() if name != "search_after_token"}
        ((column, operator, since),) = task["filters"]
        assert operator == ">"
        assert task["order_by"] == [f"{column},asc"]
        is_lost = {"live": False, "lost": True}[task["backlinks_status_type"]]
        after = ("", "")
        if token := task.get("search_after_token"):
            if self.tokens.get(token, ({},))[0] != question:
                return envelope(None, 40_501, "Invalid Field: 'search_after_token'.", usd=0)
            after = self.tokens[token][1]
        found = sorted(
            (row for row in self.rows if row["is_lost"] is is_lost and row[column] > since),
            key=lambda row: (row[column], row["anchor"]),
        )
        shown = [row for row in found if (row[column], row["anchor"]) > after][: task["limit"]]
        if shown:
            token = f"token{len(self.tokens)}"
            self.tokens[token] = question, (shown[-1][column], shown[-1]["anchor"])
        result = {"total_count": len(found), "items_count": len(shown), "items": shown or None}
        self.usd.append(0.02 + 0.00003 * len(shown))
        return envelope([{**result, "search_after_token": token if shown else None}], usd=self.usd[-1])


class DataForSeoWorld:
    """Links and losses of more than two pages each."""

    kind = KIND
    now = NOW

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "key").write_text(f"{KEY}\n")
        self.options = DataForSeoOptions(key=Secret(file="key"), sites=["www.yours.example"], rows=ROWS)
        self.index = DataForSeoIndex()
        self.fetcher = ScriptedFetcher({ADDRESS: self.index.answer})
        self.records: set[tuple[str, ...]] = set()
        for number in range(2 * ROWS + 3):
            self.link(f"link{number}", self.now - timedelta(days=30, hours=-number // 2))
        for number in range(ROWS + 2):
            self.loss(f"loss{number}", self.now - timedelta(days=200), self.now - timedelta(days=3, hours=number))

    def link(self, name: str, seen_at: datetime) -> None:
        """Add a link, and expect it."""
        self.index.link(name, seen_at, self.now)
        self.records.add(("link", f"https://{name}.example/", HERE, ""))

    def loss(self, name: str, seen_at: datetime, lost_at: datetime, *, status: int = 200) -> None:
        """Add a lost link, and expect both that it was there and that it is lost."""
        self.index.link(name, seen_at, lost_at, is_lost=True, page_from_status_code=status)
        self.records |= {("link", f"https://{name}.example/", HERE, change) for change in ("", "lost")}

    def resources(self) -> Resources:
        """Return what is lent."""
        return Resources(self.fetcher, on_sites(["yours.example"]), self._folder, self._folder / "work")

    def add(self) -> None:
        """See a link that the index gets late, and lose one."""
        self.link("late", self.now - timedelta(days=20))
        self.loss("gone", self.now - timedelta(days=150), self.now - timedelta(hours=1))

    def malform(self) -> None:
        """Leave out of a row which page it is about."""
        self.index.rows[ROWS]["url_from"] = None
        self.records.discard(("link", f"https://link{ROWS}.example/", HERE, ""))

    def limit_rate(self, retry_after_s: int) -> bool:
        """Be asked too often."""
        self.fetcher.retry_after_s = retry_after_s
        return True


def envelope(result: object, code: int = 20_000, message: str = "Ok.", *, usd: float) -> bytes:
    """Return an answer: the whole went well, and its task as ``code`` says."""
    task = {"id": "1", "status_code": code, "status_message": message, "cost": usd, "result": result}
    said = {"status_code": 20_000, "status_message": "Ok.", "cost": usd, "tasks_count": 1, "tasks": [task]}
    return msgspec.json.encode(said)


def _written(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} +00:00"
