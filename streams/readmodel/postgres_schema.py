"""The read model as a schema of a PostgreSQL database."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, Engine, NullPool, QueuePool, create_engine, event, text
from sqlalchemy.exc import DBAPIError

from flatline.readmodel.database import AwayError, ClosedError, Database, DeadlineError, ReadModelError
from flatline.readmodel.queries.searching import words_in
from flatline.readmodel.tables import SEARCHED, metadata

CONNECT_TIMEOUT_S: Final = 10
_POOL_TIMEOUT_S: Final = 30
_ENDS_S: Final = "ends_s"  # in the information that SQLAlchemy keeps beside a connection


class PostgresSchema(Database):
    """A schema.

    ``writer``  connects as the one that writes; it is shared by all schemas of a process
    ``url``     as libpq takes it
    """

    def __init__(
        self,
        name: str,
        writer: Engine,
        url: str,
        *,
        readers: int,
        deadline_s: float,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._writer = writer
        self._deadline_s = deadline_s
        self._now_s = now_s
        self.is_closed = False
        settings = {
            "search_path": f'"{name}"',
            "default_transaction_read_only": "on",
            "default_transaction_isolation": r"repeatable\ read",
            "statement_timeout": f"{max(1, int(deadline_s * 1_000))}",
        }
        self._readers = create_engine(
            "postgresql+psycopg://",
            creator=lambda: connect(url, settings),
            poolclass=QueuePool,
            pool_size=readers,
            max_overflow=0,
            pool_timeout=_POOL_TIMEOUT_S,
        )

        @event.listens_for(self._readers, "before_cursor_execute")
        def _check(connection: Connection, *_: Any) -> None:
            if self._now_s() > connection.info[_ENDS_S]:
                raise DeadlineError

    @property
    def is_lost(self) -> bool:
        """Whether the schema is not there any more. For the thread that writes."""
        with self._writer.connect() as connection:
            return connection.scalar(text("SELECT to_regclass(:table)"), {"table": f'"{self.name}".meta'}) is None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give the writer's connection. Raises ReadModelError where another process has become the writer."""
        try:
            with self._writer.begin() as connection:
                connection.exec_driver_sql(f'SET LOCAL search_path TO "{self.name}"')
                yield connection
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.errors.UndefinedTable | psycopg.errors.InvalidSchemaName):
                raise ReadModelError(f"the schema {self.name} is gone: {error.orig}") from error
            raise

    @contextmanager
    def reading(self, *, has_deadline: bool = True) -> Iterator[Connection]:
        """Give a reader's connection.

        The server ends a statement that takes as long as a whole use may, and none begins after that.
        """
        if self.is_closed:
            raise ClosedError
        try:
            with self._readers.connect() as connection:
                connection.info[_ENDS_S] = self._now_s() + self._deadline_s if has_deadline else float("inf")
                if not has_deadline:
                    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                self._hold(connection)
                yield connection
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.errors.QueryCanceled):
                raise DeadlineError from error
            if isinstance(error.orig, psycopg.OperationalError):
                raise AwayError(str(error.orig).strip()) from error
            raise

    def _hold(self, connection: Connection) -> None:
        """Keep the schema from being deleted until the transaction ends."""
        try:
            connection.exec_driver_sql("SELECT 1 FROM meta LIMIT 1")
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.errors.UndefinedTable):
                raise ClosedError from error
            raise

    def close(self) -> None:
        """Close the readers' connections; those in use, as soon as they are not."""
        self.is_closed = True
        self._readers.dispose()

    def create(self) -> None:
        """Create the schema and its tables. Raises ReadModelError."""
        try:
            with self._writer.begin() as connection:
                connection.exec_driver_sql(f'CREATE SCHEMA "{self.name}"')
                connection.exec_driver_sql(f'SET LOCAL search_path TO "{self.name}"')
                metadata.create_all(connection, checkfirst=False)
                self._index_words(connection)
        except DBAPIError as error:
            raise ReadModelError(f"the schema {self.name} can't be created: {error.orig}") from error

    def stop_indexing_words(self, connection: Connection) -> None:
        """Drop the indexes on words."""
        for search in SEARCHED:
            connection.exec_driver_sql(f"DROP INDEX IF EXISTS {search}")

    def index_words(self, connection: Connection) -> None:
        """Index the words of what is there, and have the planner learn how much that is."""
        self.stop_indexing_words(connection)
        self._index_words(connection)
        connection.exec_driver_sql(f"ANALYZE {', '.join(metadata.tables)}")

    def _index_words(self, connection: Connection) -> None:
        for search, columns in SEARCHED.items():
            table = columns[0].table.name
            connection.exec_driver_sql(f"CREATE INDEX {search} ON {table} USING gin (({words_in(columns)}))")


def connect(url: str, settings: dict[str, str]) -> "psycopg.Connection[Any]":
    """Connect to a server, with settings of its own beside those of the URL. Raises psycopg.Error."""
    said = conninfo_to_dict(url)
    options = [str(said.pop("options", "")), *(f"-c {name}={value}" for name, value in settings.items())]
    given: dict[str, Any] = {
        "application_name": "flatline serve",
        "connect_timeout": CONNECT_TIMEOUT_S,
        # A server that is gone without a word is noticed within half a minute.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        **said,
        "options": " ".join(filter(None, options)),
    }
    return psycopg.connect(**given)


def unpooled(url: str, settings: dict[str, str]) -> Engine:
    """Return an engine that connects for each use."""
    return create_engine("postgresql+psycopg://", creator=lambda: connect(url, settings), poolclass=NullPool)
