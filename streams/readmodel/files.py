"""Read models as SQLite files in a folder, for one process."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from flatline.readmodel.database import Database, ReadModelError
from flatline.readmodel.read_models import ReadModels
from flatline.readmodel.sqlite_file import SqliteFile
from flatline.readmodel.tables import VERSION

log = logging.getLogger("flatline.readmodel")

_NAME: Final = "readmodel"


class Files(ReadModels):
    """The files. Those that can't be read are left aside."""

    def __init__(self, folder: Path, *, readers: int, deadline_s: float) -> None:
        self._folder = folder
        self._readers = readers
        self._deadline_s = deadline_s

    def become_writer(self) -> bool:
        """Return True: whoever opens files has locked their folder."""
        return True

    def close(self) -> None:
        """Do nothing."""

    def opened(self) -> Sequence[SqliteFile]:
        """Open all files of this version that can be read, the newest first."""
        opened: list[SqliteFile] = []
        for path in sorted(self._folder.glob(f"{_NAME}-{VERSION}-*.db"), key=_number, reverse=True):
            try:
                opened.append(self._open(path))
            except ReadModelError as error:
                log.warning("%s", error)
        return opened

    def add(self) -> SqliteFile:
        """Return another file."""
        numbers = [_number(path) for path in self._folder.glob(f"{_NAME}-*.db")]
        return self._open(self._folder / f"{_NAME}-{VERSION}-{max(numbers, default=0) + 1}.db")

    def discard(self, database: Database) -> None:
        """Delete a file."""
        Path(database.name).unlink(missing_ok=True)

    def keep_only(self, kept: Database) -> None:
        """Delete all files but one."""
        for path in self._folder.glob(f"{_NAME}-*.db*"):
            if not str(path).startswith(kept.name):
                path.unlink(missing_ok=True)

    def discard_all(self) -> list[str]:
        """Delete all files."""
        names = self.names()
        for name in names:
            Path(name).unlink(missing_ok=True)
        return names

    def names(self) -> list[str]:
        """Return the paths of all files."""
        return sorted(map(str, self._folder.glob(f"{_NAME}-*.db*")))

    def _open(self, path: Path) -> SqliteFile:
        return SqliteFile(path, readers=self._readers, deadline_s=self._deadline_s)


def _number(path: Path) -> int:
    text = path.stem.rpartition("-")[2]
    return int(text) if text.isdecimal() else 0
