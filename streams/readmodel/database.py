"""The database of the read model: one writer, and read-only readers with a deadline."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, create_engine, event, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from flatline.errors import FlatlineError
from flatline.readmodel.tables import SQLITE_SEARCH, meta, metadata

_STEPS_BETWEEN_LOOKS: Final = 2_000  # of SQLite's virtual machine; well below a ms
_BUSY_S: Final = 30
_CACHE_KIB: Final = 65_536


class ReadModelError(FlatlineError):
    """The read model can't be used. The message says which file, and why."""

    remedy = "The read model holds nothing that the topics don't: end `flatline serve`, delete the file, start again."


class DeadlineError(Exception):
    """A query took longer than it may."""


class ClosedError(Exception):
    """The database was closed: another one answers."""


class Database:
    """A SQLite file, in WAL mode: readers see the newest committed transaction, and neither waits for the writer.

    ``path``  the file; whoever deletes it while it is open has it made anew
    """

    def __init__(
        self, path: Path, *, readers: int, deadline_s: float, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Open the file, or create it. Raises ReadModelError."""
        self.path = path
        self._deadline_s = deadline_s
        self._now_s = now_s
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._file = path.stat().st_ino
            self._writer = _engine(lambda: _writing(path))
            with self._writer.begin() as connection:
                metadata.create_all(connection)
                for statement in SQLITE_SEARCH:
                    connection.exec_driver_sql(statement)
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
        """Give the writer's connection, in a transaction: all of it is kept, or nothing. For one thread alone."""
        with self._writer.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that can't write, and sees one state of the tables throughout. For any thread.

        It waits for a free one. Raises ClosedError, and DeadlineError when it is used for too long.
        """
        reader = self._readers.get()
        if reader is None:
            self._readers.put(None)
            raise ClosedError
        try:
            with reader.until(self._now_s() + self._deadline_s, self._now_s) as connection:
                yield connection
        finally:
            self._readers.put(reader)

    def close(self) -> None:
        """Close all connections, when no reader is at work any more."""
        for _ in self._all_readers:
            if (reader := self._readers.get()) is not None:
                reader.close()
        self._readers.put(None)  # for whoever comes later
        self._writer.dispose()


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


def storable(text: str | None) -> str | None:
    """Return a text without NUL, which PostgreSQL does not take."""
    return text and text.replace("\0", "\ufffd")


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or replace the columns that they name of those with the same primary key. All name the same."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    statement = insert(table)
    columns = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    if columns:
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=columns), rows)
    else:
        connection.execute(statement.on_conflict_do_nothing(), rows)


def meta_of(connection: Connection) -> dict[str, str]:
    """Return what the tables are made from."""
    return dict(connection.execute(select(meta.c.key, meta.c.value)).all())
