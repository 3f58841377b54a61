"""A repository with more commits than one poll reads."""

from pathlib import Path

from flatline_connectors.git.connector import KIND, GitOptions
from flatline_connectors.git.documents import FILE_BYTES_MAX
from flatline_connectors.git.reading import COMMITS_MAX
from flatline_connectors.runtime.connector import Resources
from tests.connectors.git.made import IS_OURS, READ_AT, Made, make
from tests.connectors.runtime.worlds.fetching import NoFetcher

PAGE = "https://news.example/p/"


class GitWorld:
    """`flatline_connectors.git` as the contract's tests see it: it fetches from a folder, with git alone."""

    kind = KIND
    now = READ_AT
    options = GitOptions(repo="source", pages=("{path}.md = https://news.example/{path}/",))

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.records: set[tuple[str, ...]] = set()
        self._texts: list[str] = []
        self._is_spoilt = False
        self._link("a")
        self._texts += [self._texts[-1]] * COMMITS_MAX
        self._link("b")

    def _link(self, name: str) -> None:
        target = f"https://pub.example/{name}"
        self._texts.append(f"{self._texts[-1] if self._texts else ''}[{name}]({target})\n")
        self.records.add(("link", PAGE, target, ""))
        self._write()

    def _write(self) -> None:
        commits = [Made({"p.md": text, "n.txt": str(number)}) for number, text in enumerate(self._texts)]
        if self._is_spoilt:
            huge = f"[c](https://pub.example/c){' ' * FILE_BYTES_MAX}"
            commits.append(Made({**commits[-1].files, "q.md": huge}))
        make(self._folder / "source", commits)

    def resources(self) -> Resources:
        """Return what is lent: no fetcher, and a folder for the copy."""
        return Resources(NoFetcher(), IS_OURS, self._folder, self._folder / "work")

    def add(self) -> None:
        """Commit another link."""
        self._link("d")

    def malform(self) -> None:
        """Add a file that is too large."""
        self._is_spoilt = True
        self._write()

    def limit_rate(self, _retry_after_s: int) -> bool:
        """Nobody is asked over HTTP."""
        return False
