"""Files of the read model: which one answers, and which one is being made."""

import hashlib
import logging
import secrets
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from flatline.readmodel.database import Database, ReadModelError, meta_of, upsert
from flatline.readmodel.tables import VERSION, alerts, group_history, meta, verdict_history
from flatline.schema.topics import Topics

log = logging.getLogger("flatline.readmodel")

_IS_COMPLETE: Final = "is_complete"
_IDENTITY: Final = "identity"
EPOCH: Final = "epoch"
"""Of `meta`: a word for this read model. Row numbers of another one are others."""
_NAME: Final = "readmodel"


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


class Files:
    """The files in a folder."""

    def __init__(self, folder: Path, *, readers: int, deadline_s: float) -> None:
        self._folder = folder
        self._readers = readers
        self._deadline_s = deadline_s

    def find(self, identity: Identity) -> tuple[Database | None, Database | None]:
        """Return a complete file, and the newest that has this identity, complete or not; or None.

        They are the same where that is possible. Files of another version, and those that can't be read, are neither.
        """
        opened = self._opened()
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
        """Return the newest file that has this identity, and is not the one that answers; None where there is none."""
        opened = [database for database in self._opened() if database.path != besides.path]
        begun = next((database for database in opened if identity_in(database) == str(identity)), None)
        for database in opened:
            if database is not begun:
                database.close()
        return begun

    def _opened(self) -> list[Database]:
        """Open all files of this version that can be read, the newest first."""
        opened: list[Database] = []
        for path in sorted(self._folder.glob(f"{_NAME}-{VERSION}-*.db"), key=_number, reverse=True):
            try:
                opened.append(self._open(path))
            except ReadModelError as error:
                log.warning("%s", error)
        return opened

    def new(self, identity: Identity, before: Database | None) -> Database:
        """Return a new, empty file with the history of verdicts that another one has. Raises ReadModelError."""
        numbers = [_number(path) for path in self._folder.glob(f"{_NAME}-*.db")]
        database = self._open(self._folder / f"{_NAME}-{VERSION}-{max(numbers, default=0) + 1}.db")
        with database.writing() as connection:
            rows = [{"key": _IDENTITY, "value": str(identity)}, {"key": EPOCH, "value": secrets.token_hex(8)}]
            upsert(connection, meta, rows)
        if before is not None:
            try:
                _carry_history(before, database)
            except DBAPIError as error:  # a file that was deleted while it was open may not be readable any more
                log.warning("%s: its history of verdicts can't be read, and begins anew: %s", before.path, error.orig)
        return database

    def remove_others(self, kept: Database) -> None:
        """Delete all files but one."""
        for path in self._folder.glob(f"{_NAME}-*.db*"):
            if not path.name.startswith(kept.path.name):
                path.unlink(missing_ok=True)

    def _open(self, path: Path) -> Database:
        return Database(path, readers=self._readers, deadline_s=self._deadline_s)


def is_complete(database: Database) -> bool:
    """Whether it once held all that the topics did."""
    with database.reading() as connection:
        return _IS_COMPLETE in meta_of(connection)


def identity_in(database: Database) -> str:
    """Return the identity that a file says it has."""
    with database.reading() as connection:
        return meta_of(connection).get(_IDENTITY, "")


def mark_complete(database: Database) -> None:
    """Note that it holds all that the topics do."""
    with database.writing() as connection:
        upsert(connection, meta, [{"key": _IS_COMPLETE, "value": "1"}])


def _carry_history(before: Database, database: Database) -> None:
    """Copy what topics do not keep: they are compacted, so only the newest verdict on each article is there."""
    for table in (verdict_history, group_history, alerts):
        with before.reading() as source, database.writing() as target:
            found = source.execute(select(table)).mappings()
            for rows in found.partitions(1_000):
                upsert(target, table, [dict(row) for row in rows])


def _number(path: Path) -> int:
    text = path.stem.rpartition("-")[2]
    return int(text) if text.isdecimal() else 0
