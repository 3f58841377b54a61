"""The read model as a SQLite file."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from flatline.readmodel.database import ClosedError, Database, DeadlineError, ReadModelError
from flatline.readmodel.tables import SEARCHED, metadata

_STEPS_BETWEEN_LOOKS: Final = 2_000  # of SQLite's virtual machine; well below a ms
_BUSY_S: Final = 30
_CACHE_KIB: Final = 65_536


class SqliteFile(Database):
    """A file in WAL mode.

    ``path``  whoever deletes it while it is open has it made anew
    """

    def __init__(
        self, path: Path, *, readers: int, deadline_s: float, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Open the file, or create it. Raises ReadModelError."""
        self.path = path
        self.name = str(path)
        self._deadline_s = deadline_s
        self._now_s = now_s
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._file = path.stat().st_ino
            self._writer = _engine(lambda: _writing(path))
            with self._writer.begin() as connection:
                metadata.create_all(connection)
                self._follow_words(connection)
            self._readers: Queue[_Reader | None] = Queue()
            self._all_readers = [_Reader(path) for _ in range(readers)]
            for reader in self._all_readers:
                self._readers.put(reader)
        except (OSError, DBAPIError, sqlite3.Error) as error:
            raise ReadModelError(f"{path} can't be opened: {error}") from error

    @property
    def is_lost(self) -> bool:
        """Whether the file is not there any more."""
        try:
            return self.path.stat().st_ino != self._file
        except OSError:
            return True

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give the writer's connection."""
        with self._writer.begin() as connection:
            yield connection

    @contextmanager
    def reading(self, *, has_deadline: bool = True) -> Iterator[Connection]:
        """Give a reader's connection."""
        reader = self._readers.get()
        if reader is None:
            self._readers.put(None)
            raise ClosedError
        try:
            ends_s = self._now_s() + self._deadline_s if has_deadline else float("inf")
            with reader.until(ends_s, self._now_s) as connection:
                yield connection
        finally:
            self._readers.put(reader)

    def close(self) -> None:
        """Close all connections."""
        for _ in self._all_readers:
            if (reader := self._readers.get()) is not None:
                reader.close()
        self._readers.put(None)  # for whoever comes later
        self._writer.dispose()

    def stop_indexing_words(self, connection: Connection) -> None:
        """Drop the triggers that keep the search tables up to date."""
        for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")

    def index_words(self, connection: Connection) -> None:
        """Make the search tables from what is there."""
        self._follow_words(connection)
        for search in SEARCHED:
            connection.exec_driver_sql(f"INSERT INTO {search}({search}) VALUES ('rebuild')")  # noqa: S608 - our names

    def _follow_words(self, connection: Connection) -> None:
        for search, columns in SEARCHED.items():
            for statement in _search_statements(columns[0].table.name, search, [column.name for column in columns]):
                connection.exec_driver_sql(statement)


class _Reader:
    """One connection that reads."""

    def __init__(self, path: Path) -> None:
        self._ends_s = 0.0
        self._now_s: Callable[[], float] = time.monotonic
        self._connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro",
            uri=True,
            check_same_thread=False,
            isolation_level=None,
            timeout=_BUSY_S,
        )
        self._connection.execute("PRAGMA query_only=1")
        self._connection.set_progress_handler(self._is_late, _STEPS_BETWEEN_LOOKS)
        self._engine = _engine(lambda: self._connection)

    @contextmanager
    def until(self, ends_s: float, now_s: Callable[[], float]) -> Iterator[Connection]:
        self._ends_s, self._now_s = ends_s, now_s
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            if "interrupted" in str(error.orig):
                raise DeadlineError from error
            raise

    def close(self) -> None:
        self._engine.dispose()

    def _is_late(self) -> bool:
        return self._now_s() > self._ends_s


def _engine(connect: Callable[[], sqlite3.Connection]) -> Engine:
    engine = create_engine("sqlite://", creator=connect, poolclass=StaticPool)

    # Python's own way of beginning transactions leaves out reads, and statements that define tables.
    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _writing(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=_BUSY_S)
    connection.execute("PRAGMA journal_mode=WAL")
    # A killed process loses nothing; after a power failure the last transactions may be gone, with their offsets.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    return connection


def _search_statements(table: str, search: str, columns: list[str]) -> Iterator[str]:
    """Yield the statements that make a table searchable, with triggers that keep that equal to it."""
    names = ", ".join(columns)
    new, old = (", ".join(f"{row}.{column}" for column in columns) for row in ("new", "old"))
    add = f"INSERT INTO {search}(rowid, {names}) VALUES (new.id, {new});"  # noqa: S608 - names of ours
    drop = f"INSERT INTO {search}({search}, rowid, {names}) VALUES ('delete', old.id, {old});"  # noqa: S608
    changes = " OR ".join(f"old.{column} IS NOT new.{column}" for column in columns)
    yield (
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {search} USING fts5({names}, "
        f"content='{table}', content_rowid='id', tokenize='unicode61', detail='none')"
    )
    trigger = f"CREATE TRIGGER IF NOT EXISTS {search}"
    yield f"{trigger}_insert AFTER INSERT ON {table} BEGIN {add} END"
    yield f"{trigger}_delete AFTER DELETE ON {table} BEGIN {drop} END"
    yield f"{trigger}_update AFTER UPDATE OF {names} ON {table} WHEN {changes} BEGIN {drop} {add} END"
