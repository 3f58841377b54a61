"""Read models as schemas of a PostgreSQL database, for several processes: one of them writes."""

import hashlib
import logging
import re
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import Connection, StaticPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from flatline.readmodel.database import AwayError, Database, NotTheWriterError
from flatline.readmodel.postgres_schema import PostgresSchema, connect, unpooled
from flatline.readmodel.read_models import ReadModels
from flatline.readmodel.tables import VERSION, metadata

log = logging.getLogger("flatline.readmodel")

_NAME_MAX: Final = 40  # of 63 bytes, with version and number
_LOCK_TIMEOUT: Final = "2s"


class Schemas(ReadModels):
    """The schemas of an installation: `flatline_2_731` holds tables of version 2. Later ones have larger numbers.

    The schema `flatline` has views of the tables that are complete. Names begin with the ``namespace``, so several
    installations can share a database.
    """

    def __init__(self, url: str, namespace: str, *, readers: int, deadline_s: float) -> None:
        """``url``: postgresql://…, as libpq takes it."""
        self._url = url
        self._readers = readers
        self._deadline_s = deadline_s
        self._views = schema_of(namespace)
        # A connection that is lost takes the right to write with it; the next one gets it only if nobody else has.
        self._writer = create_engine("postgresql+psycopg://", creator=self._connect_writer, poolclass=StaticPool)
        self._opened: list[PostgresSchema] = []
        self._looking = unpooled(url, {"default_transaction_read_only": "on"})

    def become_writer(self) -> bool:
        """Return whether this process holds the lock of its version, which it keeps as long as its connection."""
        try:
            with self._writer.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
                return True
        except NotTheWriterError:
            return False
        except DBAPIError as error:
            raise AwayError(str(error.orig).strip()) from error

    def opened(self) -> Sequence[PostgresSchema]:
        """Open all schemas of this version, the newest first."""
        try:
            with self._looking.connect() as connection:
                return [self._open(VERSION, number) for number in self._numbers(connection, VERSION)]
        except DBAPIError as error:
            raise AwayError(str(error.orig).strip()) from error

    def add(self) -> PostgresSchema:
        """Return another schema."""
        with self._writer.connect() as connection:
            # Numbers rise and never come again: somebody may still ask for a schema that was deleted.
            schema = self._open(VERSION, connection.scalar(text("SELECT txid_current()")) or 0)
        schema.create()
        return schema

    def discard(self, database: Database) -> None:
        """Delete a schema."""
        self._drop(database.name)

    def keep_only(self, kept: Database) -> None:
        """Have the views show one schema, and delete the others, of former versions only what nobody writes any more.

        What somebody uses just now stays until the next time.
        """
        with self._looking.connect() as connection:
            shown = self._shown(connection)
            names = self._names(connection)
        if shown is None or (self._version(shown) <= VERSION and shown != kept.name):
            self._show(kept.name)
        for name in names:
            if name != kept.name and (self._version(name) == VERSION or self._is_left(self._version(name))):
                self._drop(name)

    def discard_all(self) -> list[str]:
        """Delete all schemas, and that of the views."""
        if not self.become_writer():
            raise NotTheWriterError(f"Another process writes the read model of {self._views}.")
        names = self.names()
        for name in names:
            self._drop(name)
        return names

    def names(self) -> list[str]:
        """Return the names of all schemas of this installation."""
        try:
            with self._looking.connect() as connection:
                found = connection.scalars(text("SELECT nspname FROM pg_namespace")).all()
        except DBAPIError as error:
            raise AwayError(str(error.orig).strip()) from error
        return sorted(name for name in found if name == self._views or self._version(name))

    def close(self) -> None:
        """Close all connections: another process may write."""
        for schema in self._opened:
            schema.close()
        self._writer.dispose()

    def _connect_writer(self) -> "psycopg.Connection[Any]":
        # A server that crashes may lose the last transactions, with their offsets: they are read again.
        connection = connect(self._url, {"synchronous_commit": "off"})
        with connection.transaction():
            found = connection.execute("SELECT pg_try_advisory_lock(%s)", [self._lock(VERSION)]).fetchone()
        if found is not None and found[0]:
            return connection
        connection.close()
        raise NotTheWriterError(f"another process writes the read model of {self._views}")

    def _lock(self, version: int) -> int:
        digest = hashlib.sha256(f"flatline read model {self._views} {version}".encode()).digest()
        return int.from_bytes(digest[:8], "big", signed=True)

    def _open(self, version: int, number: int) -> PostgresSchema:
        name = f"{self._views}_{version}_{number}"
        schema = PostgresSchema(name, self._writer, self._url, readers=self._readers, deadline_s=self._deadline_s)
        self._opened = [*(each for each in self._opened if not each.is_closed), schema]
        return schema

    def _names(self, connection: Connection) -> list[str]:
        found = connection.scalars(text("SELECT nspname FROM pg_namespace WHERE nspowner = current_user::regrole"))
        return [name for name in found if self._version(name)]

    def _numbers(self, connection: Connection, version: int) -> list[int]:
        names = [name for name in self._names(connection) if self._version(name) == version]
        return sorted((int(name.rpartition("_")[2]) for name in names), reverse=True)

    def _version(self, name: str) -> int:
        """Return the version of a schema's tables; 0 where it is none of ours."""
        found = re.fullmatch(rf"{re.escape(self._views)}_(\d+)_\d+", name)
        return int(found[1]) if found else 0

    def _shown(self, connection: Connection) -> str | None:
        """Return the schema that the views show."""
        statement = text("SELECT table_schema FROM information_schema.view_table_usage WHERE view_schema = :views")
        found = set(connection.scalars(statement, {"views": self._views}))
        return next((name for name in found if self._version(name)), None)

    def _show(self, name: str) -> None:
        statements = [sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(self._views))]
        for table in metadata.tables:
            view, shown = sql.Identifier(self._views, table), sql.Identifier(name, table)
            statements.append(sql.SQL("DROP VIEW IF EXISTS {}").format(view))
            statements.append(sql.SQL("CREATE VIEW {} AS SELECT * FROM {}").format(view, shown))
        self._try(statements, f"the views in {self._views} can't be made to show {name}")

    def _drop(self, name: str) -> None:
        statement = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name))
        self._try([statement], f"the schema {name} can't be deleted")

    def _try(self, statements: Sequence[sql.Composed], what_if_not: str) -> None:
        try:
            with self._writer.begin() as connection:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
                for statement in statements:
                    connection.exec_driver_sql(statement.as_string())
        except DBAPIError as error:
            log.warning("%s: %s", what_if_not, error.orig)

    def _is_left(self, version: int) -> bool:
        """Whether no process writes the tables of a former version."""
        if version > VERSION:
            return False
        with self._writer.begin() as connection:
            return bool(connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": self._lock(version)}))


def schema_of(namespace: str) -> str:
    """Return the name of the schema with the views: the namespace, or its beginning and a digest where it is long."""
    if len(namespace) <= _NAME_MAX:
        return namespace
    return f"{namespace[: _NAME_MAX - 9]}-{hashlib.sha256(namespace.encode()).hexdigest()[:8]}"
