"""The history of a Git repository as a file of link events."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

from flatline.clock import WallClock
from flatline.demo.errors import DemoError
from flatline.domain.time import to_datetime
from flatline.schema import codec
from flatline.schema.link_event import LinkEvent
from flatline_connectors.errors import ConnectorError
from flatline_connectors.git.commits import UnreadableOutput
from flatline_connectors.git.page_urls import PageUrls, rule_of_remote
from flatline_connectors.git.reading import Ahead, read_batch
from flatline_connectors.git.repository import FetchFailed, Repository, checked_address, remote_of

# Pages of a repository that is read nowhere in the web: the domain never exists (RFC 2606).
_NOWHERE: Final = "{path} = https://repository.invalid/{path}"


@contextmanager
def history_file(clone: Path, *, report: Callable[[str], None]) -> Iterator[Path]:
    """Write all links of a repository to other sites into a file, for the block, and ``report`` how far it is.

    Raise `DemoError`.
    """
    if not any((clone / name).exists() for name in (".git", "HEAD")):
        raise DemoError(f"{clone} is a folder and no Git repository. A history is a file of link events, or a clone.")
    with TemporaryDirectory(prefix="flatline-history-") as folder:
        file = Path(folder, "history.ndjson")
        try:
            count = _write(clone, Path(folder, "repository.git"), file, report)
        except (ConnectorError, FetchFailed, UnreadableOutput) as error:
            raise DemoError(f"{clone} can't be played as a Git repository: {error}") from None
        if not count:
            raise DemoError(
                f"No Markdown, HTML or reStructuredText file in the history of {clone} links to other sites."
            )
        yield file


def _write(clone: Path, copy: Path, file: Path, report: Callable[[str], None]) -> int:
    address = checked_address(str(clone), Path.cwd())
    url_of = PageUrls([rule_of_remote(remote_of(address) or "") or _NOWHERE]).url_of
    repository = Repository(copy)
    repository.fetch(address, None)
    read_at = to_datetime(WallClock().now_ms())
    ahead, count, commit, moved = Ahead(), 0, None, dict[str, str]()
    with file.open("wb") as lines:
        while True:
            batch = read_batch(
                repository,
                ahead=ahead,
                after=commit,
                moved=moved,
                url_of=url_of,
                is_wanted=lambda _: True,
                read_at=read_at,
            )
            for event in batch.events:
                if _leads_elsewhere(event):
                    lines.write(codec.links.encode(event) + b"\n")
                    count += 1
            if batch.is_last:
                return count
            if batch.events:
                report(f"up to {batch.events[-1].occurred_at:%Y-%m-%d}, {count:,} links")
            commit, moved = batch.commit, dict(batch.moved)


def _leads_elsewhere(event: LinkEvent) -> bool:
    return urlsplit(event.url_from).netloc != urlsplit(event.url_to).netloc
