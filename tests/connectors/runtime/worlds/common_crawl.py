"""A WAT file and a WARC file: the last record of each is read by a poll of its own."""

from datetime import UTC, datetime
from pathlib import Path

from flatline_connectors.common_crawl.connector import KIND, CommonCrawlOptions
from flatline_connectors.runtime.connector import Resources
from flatline_connectors.sites import on_sites
from tests.connectors.common_crawl.made import captured, response, to
from tests.connectors.runtime.worlds.fetching import NoFetcher

HERE = "https://yours.example/a"


class CommonCrawlWorld:
    """`flatline_connectors.common_crawl` as the contract's tests see it."""

    kind = KIND
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    options = CommonCrawlOptions(files=["a.wat.gz", "b.warc.gz"], sites=["yours.example"])

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.records: set[tuple[str, ...]] = set()
        self._members = [captured(self._page(f"a{number}"), [to(HERE)]) for number in range(4)]
        (folder / "a.wat.gz").write_bytes(b"".join(self._members))
        (folder / "b.warc.gz").write_bytes(response(self._page("b"), f'<a href="{HERE}">it</a>'))

    def _page(self, name: str) -> str:
        page = f"https://{name}.example/"
        self.records.add(("link", page, HERE, ""))
        return page

    def resources(self) -> Resources:
        """Return what is lent: no fetcher."""
        return Resources(NoFetcher(), on_sites(["yours.example"]), self._folder, self._folder / "work")

    def add(self) -> None:
        """Append a capture to the file that is read last."""
        with (self._folder / "b.warc.gz").open("ab") as file:
            file.write(response(self._page("new"), f'<a href="{HERE}">it</a>'))

    def malform(self) -> None:
        """Damage the second record."""
        damaged = bytearray(self._members[1])
        damaged[len(damaged) // 2] ^= 0xFF
        damaged[12] ^= 0xFF
        (self._folder / "a.wat.gz").write_bytes(b"".join([self._members[0], damaged, *self._members[2:]]))
        self.records.discard(("link", "https://a1.example/", HERE, ""))

    def limit_rate(self, _retry_after_s: int) -> bool:
        """Nobody is asked."""
        return False
