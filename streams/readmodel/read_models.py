"""Read models of one installation: which one answers, and which one is being made. Wherever they are stored."""

import hashlib
import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from flatline.readmodel.database import ClosedError, Database, meta_of, upsert
from flatline.readmodel.tables import (
    VERSION,
    addresses,
    alerts,
    group_history,
    heartbeat_days,
    meta,
    positions,
    verdict_history,
)
from flatline.schema.topics import Topics

log = logging.getLogger("flatline.readmodel")

EPOCH: Final = "epoch"
"""Of `meta`: a word for this read model. Row numbers of another one are others."""

_IS_COMPLETE: Final = "is_complete"
_IDENTITY: Final = "identity"


class Identity(NamedTuple):
    """What a read model is made from, and how. One of another identity says something else.

    ``rules``  fingerprint of what the policy leaves out
    """

    version: int
    namespace: str
    layout: int
    partitions: int
    rules: str

    def __str__(self) -> str:
        return " ".join(map(str, self))


def identity_of(topics: Topics, rules: bytes) -> Identity:
    """Return the identity of a read model of these topics, by these rules (any bytes)."""
    layout = topics.layout
    digest = hashlib.sha256(rules).hexdigest()[:16]
    return Identity(VERSION, topics.namespace, layout.number, layout.partitions, digest)


class ReadModels(ABC):
    """All read models in one place. Those of another version of the tables are left to that version."""

    @abstractmethod
    def become_writer(self) -> bool:
        """Return whether this process may write: one process at a time may, until it ends or loses its connection."""

    @abstractmethod
    def close(self) -> None:
        """Let another process write."""

    @abstractmethod
    def opened(self) -> Sequence[Database]:
        """Open all of this version that can be read, the newest first."""

    @abstractmethod
    def add(self) -> Database:
        """Return another one, empty. Raises ReadModelError."""

    @abstractmethod
    def discard(self, database: Database) -> None:
        """Delete one. It may be open."""

    @abstractmethod
    def keep_only(self, kept: Database) -> None:
        """Delete all but one, and show that one to whoever looks into the database itself."""

    @abstractmethod
    def discard_all(self) -> list[str]:
        """Delete all, of other versions, too; return their names. Raises NotTheWriterError where one is in use."""

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names of all that there are, of other versions, too."""

    def find(self, identity: Identity) -> tuple[Database | None, Database | None]:
        """Return a complete read model, and the newest that has this identity, complete or not; or None.

        They are the same where that is possible.
        """
        opened = self.opened()
        complete = [database for database in opened if is_complete(database)]
        wanted = [database for database in opened if identity_in(database) == str(identity)]
        both = [database for database in complete if database in wanted]
        answering = next(iter(both or complete), None)
        going_on = next(iter(both or wanted), None)
        for database in opened:
            if database is not answering and database is not going_on:
                database.close()
        return answering, going_on

    def find_begun(self, identity: Identity, *, besides: Database) -> Database | None:
        """Return the newest that has this identity, and is not the one that answers; None where there is none."""
        opened = self.opened()
        others = [database for database in opened if database.name != besides.name]
        begun = next((database for database in others if identity_in(database) == str(identity)), None)
        for database in opened:
            if database is not begun:
                database.close()
        return begun

    def new(self, identity: Identity, before: Database | None) -> Database:
        """Return a new, empty one with the history of verdicts that another one has. Raises ReadModelError."""
        database = self.add()
        with database.writing() as connection:
            rows = [{"key": _IDENTITY, "value": str(identity)}, {"key": EPOCH, "value": secrets.token_hex(8)}]
            upsert(connection, meta, rows)
        if before is not None:
            try:
                _carry_history(before, database)
            except (
                DBAPIError,
                ClosedError,
            ) as error:  # it may have been deleted while it was open
                log.warning("%s: its history of verdicts can't be read, and begins anew: %s", before.name, error)
        return database


def is_complete(database: Database) -> bool:
    """Whether it once held all that the topics did."""
    with database.reading() as connection:
        return _IS_COMPLETE in meta_of(connection)


def identity_in(database: Database) -> str:
    """Return the identity that a read model says it has."""
    with database.reading() as connection:
        return meta_of(connection).get(_IDENTITY, "")


def mark_complete(database: Database) -> None:
    """Note that it holds all that the topics do."""
    with database.writing() as connection:
        upsert(connection, meta, [{"key": _IS_COMPLETE, "value": "1"}])


def stored_positions(connection: Connection) -> dict[tuple[str, int], int]:
    """Return the first offset of each topic's partition that the tables do not hold yet."""
    columns = positions.c
    rows = connection.execute(select(columns.topic, columns.partition, columns.next_offset))
    return {(topic, partition): offset for topic, partition, offset in rows}


def _carry_history(before: Database, database: Database) -> None:
    """Copy what topics do not keep: they are compacted, so only the newest verdict on each article is there."""
    with before.reading(has_deadline=False) as reader, database.writing() as target:
        source = reader.execution_options(yield_per=1_000)
        # Addresses keep their numbers. Where moves put them is read from the topics.
        judged = select(addresses.c.id, addresses.c.key).where(
            addresses.c.id.in_(select(verdict_history.c.address_id).distinct())
        )
        for rows in source.execute(judged).mappings().partitions():
            upsert(target, addresses, [{**row, "article_id": row["id"]} for row in rows])
        for table in (verdict_history, group_history, alerts, heartbeat_days):
            for rows in source.execute(select(table)).mappings().partitions():
                upsert(target, table, [dict(row) for row in rows])
