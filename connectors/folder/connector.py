"""Takes the files of links that somebody drops into a folder, as `flatline links import` would."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
import xxhash
from msgspec import Meta

from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.errors import ConnectorError
from flatline_connectors.fetching.outcomes import Action
from flatline_connectors.files.exports.dates import DateOrder
from flatline_connectors.files.exports.event_lines import event_lines
from flatline_connectors.files.exports.reading import HISTORY, Options
from flatline_connectors.files.lines import LineFile, UnusableLine
from flatline_connectors.runtime.config import ConnectorOptions, Duration
from flatline_connectors.runtime.connector import (
    ConnectorKind,
    FoundRecord,
    MalformedPage,
    PollFailed,
    PollResult,
    Resources,
    UnreadableRecord,
)

FILES_MAX: Final = 10_000
# A file that was changed a moment ago may still be being written.
SETTLED_AFTER: Final = timedelta(seconds=10)
# What browsers, editors and copying programs call a file that is not complete.
_UNFINISHED: Final = (".part", ".tmp", ".crdownload", ".download", ".swp", "~")
_HEAD_BYTES: Final = 4_096


class FolderOptions(ConnectorOptions, frozen=True, kw_only=True, tag="folder"):
    """A folder, and how to read what is in it: as the options of `flatline links import`."""

    folder: Annotated[str, Meta(min_length=1, description="Its path, relative to connectors.toml")]
    every: Duration = "1m"
    format: Annotated[str | None, Meta(description="Format of all files; else it is recognised")] = None
    date_order: Annotated[DateOrder | None, Meta(description="How to read 03/04/2026")] = None
    columns: Annotated[dict[str, str], Meta(description="Columns of a sheet of your own")] = msgspec.field(
        default_factory=dict
    )


class FolderState(msgspec.Struct, frozen=True, kw_only=True):
    """The files in the folder that were read: a fingerprint of each one's name, size and time of change."""

    version: Literal[1] = 1
    read: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _File:
    path: Path
    fingerprint: str
    changed_at: datetime

    def is_settled(self, now: datetime) -> bool:
        return abs(now - self.changed_at) >= SETTLED_AFTER


class Folder:
    """One poll reads one file. A file that changes is read again: links count once."""

    def __init__(self, options: FolderOptions, resources: Resources) -> None:
        self._options = options
        self._folder = resources.folder / options.folder
        self._is_ours = resources.is_ours

    async def poll(self, state: FolderState, now: datetime) -> PollResult[FolderState]:
        """Read the first file by name that was not read. Raise `PollFailed` if the folder can't be read."""
        files = await asyncio.to_thread(self._files)
        known = {file.fingerprint for file in files}
        kept = state.read & known
        file = next((file for file in files if file.fingerprint not in kept and file.is_settled(now)), None)
        if file is None:
            return PollResult([], FolderState(read=kept), is_complete=True)
        after = FolderState(read=kept | {file.fingerprint})
        return PollResult(self._records(file, after), after, is_complete=False)

    def _files(self) -> list[_File]:
        try:
            paths = sorted(path for path in self._folder.iterdir() if _is_finished(path.name) and path.is_file())
            if len(paths) > FILES_MAX:
                detail = f"{self._folder} holds {len(paths):,} files; the limit is {FILES_MAX:,}: move some out"
                raise PollFailed(Action.WAIT, detail)
            return [_file(path) for path in paths]
        except OSError as error:
            raise PollFailed(Action.WAIT, f"{error.filename or self._folder} can't be read: {error.strerror}") from None

    def _records(self, file: _File, after: FolderState) -> Iterator[FoundRecord | UnreadableRecord]:
        options = Options(
            exported_at=file.changed_at,
            history_before=file.changed_at - HISTORY,
            format=self._options.format,
            columns_by_field=self._options.columns,
            date_order=self._options.date_order,
            source=self._options.source,
            is_ours=self._is_ours,
        )
        origin: dict[str, str | int] = {"file": file.path.name}
        try:
            for line in event_lines(LineFile(file.path), options, lambda _recognised: None):
                where = {**origin, "line": line.number}
                if isinstance(line, UnusableLine):
                    yield UnreadableRecord(line.value, line.rejected, where)
                else:
                    yield FoundRecord("link", line.value, where)
        except ConnectorError as error:
            rejected = Rejected(Reason.INVALID_VALUE, error.whole)
            raise MalformedPage(_head(file.path), rejected, origin=origin, state=after) from error


def _is_finished(name: str) -> bool:
    return not name.startswith(".") and not name.lower().endswith(_UNFINISHED)


def _file(path: Path) -> _File:
    status = path.stat()
    identity = f"{status.st_size}/{status.st_mtime_ns}/{path.name}".encode(errors="surrogateescape")
    return _File(path, xxhash.xxh3_64_hexdigest(identity), datetime.fromtimestamp(status.st_mtime, UTC))


def _head(path: Path) -> bytes:
    """Return the beginning of a file that can't be read, for its dead letter; nothing if it is gone."""
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError:
        return b""


KIND: Final = ConnectorKind(
    options=FolderOptions, state=FolderState, open=Folder, about="Files of links that are dropped into a folder."
)
