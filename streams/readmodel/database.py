"""A database of the read model: one writer, and read-only readers with a deadline. What all kinds of them share."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from flatline.errors import FlatlineError
from flatline.readmodel.tables import meta


class ReadModelError(FlatlineError):
    """The read model can't be used. The message says which one, and why."""

    remedy = (
        "The read model holds nothing that the topics don't: end `flatline serve`, delete the file or the schema, and "
        "start it again."
    )


class NotTheWriterError(ReadModelError):
    """Another process writes."""


class DeadlineError(Exception):
    """A query took longer than it may."""


class ClosedError(Exception):
    """The database was closed: another one answers."""


class AwayError(Exception):
    """The server of the database does not answer. The message says why."""


class Database(ABC):
    """The tables in one place. Readers see the newest committed transaction, and neither waits for the writer.

    ``name``  which one it is, for people
    """

    name: str

    @property
    @abstractmethod
    def is_lost(self) -> bool:
        """Whether somebody deleted it."""

    @abstractmethod
    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give the writer's connection, in a transaction: all of it is kept, or nothing. For one thread alone."""

    @abstractmethod
    @contextmanager
    def reading(self, *, has_deadline: bool = True) -> Iterator[Connection]:
        """Give a connection that can't write, and sees one state of the tables throughout. For any thread.

        It waits for a free one. Raises ClosedError, AwayError, and DeadlineError when it is used for too long.
        """

    @abstractmethod
    def close(self) -> None:
        """Close all connections, when no reader is at work any more."""

    @abstractmethod
    def stop_indexing_words(self, connection: Connection) -> None:
        """Leave the full-text search as it is, whatever is written: with each row, it takes a third of the time."""

    @abstractmethod
    def index_words(self, connection: Connection) -> None:
        """Index the words of what is there, and from now on those of each row that is written."""


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that may say what happens to rows that are there."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or replace the columns that they name of those with the same primary key. All name the same."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    statement = insert_into(connection, table)
    columns = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    if columns:
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=columns), rows)
    else:
        connection.execute(statement.on_conflict_do_nothing(), rows)


def meta_of(connection: Connection) -> dict[str, str]:
    """Return what the tables are made from."""
    return dict(connection.execute(select(meta.c.key, meta.c.value)).all())
