"""Which links a history gains and loses: sets of links by page and commit, never lines, so that text may be re-wrapped.

Pure: commits, changes and contents in, events out.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from flatline.domain.time import EARLIEST, EARLIEST_MS, to_datetime, to_ms
from flatline.schema.limits import TEXT_CHARACTERS_MAX, TITLE_CHARACTERS_MAX
from flatline.schema.link_event import LinkEvent, Page
from flatline_connectors.git.commits import Commit, FileChange
from flatline_connectors.git.documents import (
    FILE_BYTES_MAX,
    Document,
    UnreadableDocument,
    is_document,
    may_link,
    read_document,
)
from flatline_connectors.pages.links import PageLink
from flatline_connectors.rel import bounded_rel

PAGES_AT_ONCE_MAX: Final = 20
"""Pages that gain links in one commit. Where there are more, a whole site came into the repository, or was edited."""
_PUBLISHED_BEFORE: Final = timedelta(days=2)
_BEGINNING_BYTES: Final = 4_096
_REMEMBERED_DOCUMENTS: Final = 4_096

Discovery = Literal["link_found", "page_found", "import"]


@dataclass
class _Page:
    """A page before a commit and after it. ``document``: None if no file makes it any more.

    ``is_moved``  its text was at another address until now
    """

    old: dict[str, PageLink] = field(default_factory=dict)
    new: dict[str, PageLink] = field(default_factory=dict)
    was_there: bool = False
    document: Document | None = None
    is_moved: bool = False


class UnreadableFile(NamedTuple):
    """A file that can't be read: its path, its object, the beginning of its content, and why."""

    path: str
    object: str
    beginning: bytes
    reason: str


class _ChangedFile(NamedTuple):
    """A change of a file that makes a page: at which address until now, and at which from now on."""

    change: FileChange
    old_url: str | None
    new_url: str | None


class History:
    """Follows a history, commit by commit.

    A renamed file stays the page that it was, at the address of its first path, unless another file takes that address.

    ``url_of``     the address of the page that a path becomes; None: it is no page
    ``is_wanted``  whether links to an address count
    ``read``       the content of an object; None where that can't be had
    ``moved``      addresses of renamed files, by their present paths; it is kept up to date
    ``unreadable`` is told of each file that can't be read
    """

    def __init__(
        self,
        *,
        url_of: Callable[[str], str | None],
        is_wanted: Callable[[str], bool],
        read: Callable[[str], bytes | None],
        moved: dict[str, str],
        unreadable: Callable[[UnreadableFile], None] = lambda _: None,
    ) -> None:
        self._url_of = url_of
        self._is_wanted = is_wanted
        self._read = read
        self._document = lru_cache(maxsize=_REMEMBERED_DOCUMENTS)(self._read_document)
        self._unreadable = unreadable
        self.moved = moved

    def events(
        self,
        commit: Commit,
        changes: Iterable[FileChange],
        *,
        read_at: datetime,
        is_beginning: bool = False,
        object_of: Callable[[str], str | None] = lambda _: None,
    ) -> Iterator[LinkEvent]:
        """Yield the events of a commit.

        ``read_at`` bounds its times: clocks may be wrong. ``is_beginning``: what came before it is not known.
        ``object_of`` returns the object of a path in the commit.
        """
        pages: dict[str, _Page] = defaultdict(_Page)
        for change, old_url, new_url in self._changed_files(list(changes), object_of):
            if old_url is not None:
                assert change.old_path
                assert change.old_object
                pages[old_url].was_there = True
                pages[old_url].old |= self._document(change.old_path, change.old_object, old_url).links
            if new_url is not None:
                assert change.new_path
                assert change.new_object
                document = self._document(change.new_path, change.new_object, new_url)
                pages[new_url].document = document
                pages[new_url].new |= document.links
                pages[new_url].is_moved |= change.is_copy or old_url not in {None, new_url}
        is_bulk = sum(bool(page.new.keys() - page.old.keys()) for page in pages.values()) > PAGES_AT_ONCE_MAX
        times = _Times.of(commit, read_at=read_at)
        for url, page in pages.items():
            yield from _events_of(url, page, times, is_import=is_beginning or is_bulk)

    def _changed_files(
        self, changes: Sequence[FileChange], object_of: Callable[[str], str | None]
    ) -> Iterator[_ChangedFile]:
        """Yield the changes of pages with their addresses, and the files whose addresses new files take."""
        added = {change.new_path for change in changes if change.new_path and change.old_path is None}
        taken = {url for path in added if (url := self._rule(path))}
        touched = {change.old_path for change in changes}
        files = list(changes)
        for path, url in self.moved.items():
            if url in taken and path not in touched and (present := object_of(path)):
                files.append(FileChange(path, present, path, present))
        found = [_ChangedFile(change, *self._addresses(change, taken)) for change in files]
        for change, _, _ in found:
            self.moved.pop(change.old_path or "", None)
        for change, _, new_url in found:
            if change.new_path and new_url and new_url != self._rule(change.new_path):
                self.moved[change.new_path] = new_url
        return (file for file in found if file.old_url or file.new_url)

    def _addresses(self, change: FileChange, taken: Container[str]) -> tuple[str | None, str | None]:
        old_url = change.old_path and (self.moved.get(change.old_path) or self._rule(change.old_path))
        rule_url = change.new_path and self._rule(change.new_path)
        is_kept = old_url and rule_url and old_url not in taken
        return old_url or None, (old_url if is_kept else rule_url) or None

    def _rule(self, path: str) -> str | None:
        return self._url_of(path) if is_document(path) else None

    def _read_document(self, path: str, identifier: str, url: str) -> Document:
        body = self._read(identifier)
        if body is None:
            reason = f"{path} has more than {FILE_BYTES_MAX:,} bytes, or is missing in the repository"
            self._unreadable(UnreadableFile(path, identifier, b"", reason))
        elif may_link(body, self._is_wanted):
            try:
                return read_document(path, body, url, is_wanted=self._is_wanted)
            except UnreadableDocument as error:
                self._unreadable(UnreadableFile(path, identifier, body[:_BEGINNING_BYTES], f"{path}: {error}"))
        return Document()


class _Times(NamedTuple):
    """When a commit was made; None where no clock was right."""

    occurred_at: datetime | None
    observed_at: datetime | None

    @classmethod
    def of(cls, commit: Commit, *, read_at: datetime) -> "_Times":
        latest_ms = to_ms(read_at)
        committed_ms = min(commit.committed_s * 1_000, latest_ms)
        authored_ms = min(commit.authored_s * 1_000, committed_ms)
        return cls(*(to_datetime(ms) if ms >= EARLIEST_MS else None for ms in (authored_ms, committed_ms)))


def _events_of(url: str, page: _Page, times: _Times, *, is_import: bool) -> Iterator[LinkEvent]:
    said = page.document or Document()
    is_older = (
        not page.was_there
        and said.published_at is not None
        and times.observed_at is not None
        and EARLIEST <= said.published_at < times.observed_at - _PUBLISHED_BEFORE
    )
    discovery: Discovery = "link_found"
    occurred_at = times.occurred_at
    if is_import or times.observed_at is None:
        discovery, occurred_at = "import", None
    elif page.is_moved or is_older:
        discovery, occurred_at = "page_found", said.published_at if is_older else None
    for key in sorted(page.new.keys() - page.old.keys()):
        link = page.new[key]
        yield LinkEvent(
            url_from=url,
            url_to=link.url,
            occurred_at=occurred_at,
            observed_at=times.observed_at,
            discovery=discovery,
            anchor=link.anchor[:TEXT_CHARACTERS_MAX] or None,
            rel=bounded_rel(link.rel),
            page=Page(title=said.title[:TITLE_CHARACTERS_MAX] or None, published_at=said.published_at),
        )
    for key in sorted(page.old.keys() - page.new.keys()):
        yield LinkEvent(
            url_from=url,
            url_to=page.old[key].url,
            change="lost",
            occurred_at=times.occurred_at,
            observed_at=times.observed_at,
            lost_reason="removed" if page.document else "page_gone",
        )
