"""What was received and what became of it, in a file of SQLite: work that is not done yet survives a crash.

A mention is the pair of source and target. Whether its link is known decides whether its end is a loss.
"""

import secrets
import sqlite3
from collections.abc import Collection
from pathlib import Path
from typing import Final, NamedTuple

from flatline_connectors.errors import ConnectorError

PENDING_MAX: Final = 1_000
PENDING_MAX_OF_HOST: Final = 20
KEPT_MS: Final = 7 * 86_400_000
"""How long what came to nothing is kept, for whoever asks what became of it."""
AGAIN_AFTER_MS: Final = 60_000
"""How soon the same pair is verified again: mentions must not make us a tool for sending requests to others."""

_ID_BYTES: Final = 12
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS mentions (
    id TEXT PRIMARY KEY, source TEXT NOT NULL, target TEXT NOT NULL, host TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0, received_ms INTEGER NOT NULL,
    due_ms INTEGER, attempts INTEGER NOT NULL DEFAULT 0, settled_ms INTEGER,
    status TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '', known_from TEXT,
    UNIQUE (source, target)
);
CREATE INDEX IF NOT EXISTS mentions_due ON mentions (due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS mentions_settled ON mentions (settled_ms) WHERE known_from IS NULL;
"""

PENDING: Final = "pending"


class Mention(NamedTuple):
    """One mention.

    ``revision``    how often it was received
    ``due_ms``      when it is to be verified; None: that is done
    ``status``      what became of it, in a word, and ``detail`` in a sentence
    ``known_from``  the page that the link was found on, if it is known; None: it is not
    """

    id: str
    source: str
    target: str
    host: str
    revision: int
    received_ms: int
    due_ms: int | None
    attempts: int
    status: str
    detail: str
    known_from: str | None


_COLUMNS: Final = ", ".join(Mention._fields)


class TooManyPending(Exception):
    """There is no room for another mention. ``is_of_host``: of its source's host there are too many."""

    def __init__(self, *, is_of_host: bool) -> None:
        super().__init__()
        self.is_of_host = is_of_host


class MentionsError(ConnectorError):
    """The file of mentions can't be used. The message names it and the cause."""

    remedy = "Check the folder's rights and space. Without the file, the ingest begins a new one."


class Mentions:
    """All mentions. For one thread."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raise `MentionsError`."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise MentionsError(f"{path} can't be used: {error}.") from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def receive(self, source: str, target: str, *, host: str, now_ms: int) -> Mention:
        """Note that a mention is to be verified, and return it; one that waits already waits on.

        Raise `TooManyPending`.
        """
        known = self._one("source = ? AND target = ?", source, target)
        if known is None or known.due_ms is None:
            if self.pending() >= PENDING_MAX:
                raise TooManyPending(is_of_host=False)
            if self._count("due_ms IS NOT NULL AND host = ?", host) >= PENDING_MAX_OF_HOST:
                raise TooManyPending(is_of_host=True)
        self._db.execute("DELETE FROM mentions WHERE known_from IS NULL AND settled_ms < ?", (now_ms - KEPT_MS,))
        self._db.execute(
            "INSERT INTO mentions (id, source, target, host, received_ms, due_ms, status) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (source, target) DO UPDATE SET revision = revision + 1, received_ms = excluded.received_ms, "
            "attempts = 0, status = excluded.status, detail = '', "
            "due_ms = COALESCE(due_ms, MAX(excluded.due_ms, settled_ms + ?))",
            (secrets.token_urlsafe(_ID_BYTES), source, target, host, now_ms, now_ms, PENDING, AGAIN_AFTER_MS),
        )
        received = self._one("source = ? AND target = ?", source, target)
        assert received is not None
        return received

    def get(self, identifier: str) -> Mention | None:
        """Return the mention with this id."""
        return self._one("id = ?", identifier)

    def due(self, *, now_ms: int, hosts_except: Collection[str] = ()) -> Mention | None:
        """Return the mention that is due for longest, of a host that is not among those."""
        marks = ", ".join("?" * len(hosts_except))
        return self._one(f"due_ms <= ? AND host NOT IN ({marks}) ORDER BY due_ms, rowid LIMIT 1", now_ms, *hosts_except)

    def next_due_ms(self) -> int | None:
        """Return when the next mention is due; None if none is pending."""
        (due_ms,) = self._db.execute("SELECT MIN(due_ms) FROM mentions WHERE due_ms IS NOT NULL").fetchone()
        return None if due_ms is None else int(due_ms)

    def oldest_pending_ms(self) -> int | None:
        """Return when the oldest mention was received that is not verified; None if none is pending."""
        (received_ms,) = self._db.execute("SELECT MIN(received_ms) FROM mentions WHERE due_ms IS NOT NULL").fetchone()
        return None if received_ms is None else int(received_ms)

    def pending(self) -> int:
        """Return how many mentions are not verified."""
        return self._count("due_ms IS NOT NULL")

    def settle(self, mention: Mention, *, status: str, detail: str, known_from: str | None, now_ms: int) -> None:
        """Note what became of a mention. If it was received again meanwhile, it is verified again."""
        self._db.execute(
            "UPDATE mentions SET known_from = ?, settled_ms = ?, status = ?, detail = ?, "
            "due_ms = CASE WHEN revision = ? THEN NULL ELSE ? END WHERE id = ?",
            (known_from, now_ms, status, detail, mention.revision, now_ms + AGAIN_AFTER_MS, mention.id),
        )

    def postpone(self, mention: Mention, *, due_ms: int, detail: str) -> None:
        """Have a mention verified later."""
        self._db.execute(
            "UPDATE mentions SET due_ms = ?, attempts = attempts + 1, detail = ? WHERE id = ?",
            (due_ms, detail, mention.id),
        )

    def _one(self, condition: str, *values: object) -> Mention | None:
        row = self._db.execute(f"SELECT {_COLUMNS} FROM mentions WHERE {condition}", values).fetchone()  # noqa: S608
        return None if row is None else Mention(*row)

    def _count(self, condition: str, *values: object) -> int:
        (count,) = self._db.execute(f"SELECT COUNT(*) FROM mentions WHERE {condition}", values).fetchone()  # noqa: S608
        return int(count)
