"""The links that each page is known to have, in a file of SQLite beside the Scrapy project."""

import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from flatline_connectors.errors import ConnectorError
from flatline_connectors.scrapy_extension.look import Known

_SCHEMA: Final = "CREATE TABLE IF NOT EXISTS pages (url TEXT PRIMARY KEY, links BLOB NOT NULL)"
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(dict[str, int | None]).decode


class PagesError(ConnectorError):
    """The file can't be used. The message names it and the cause."""

    remedy = "Check the folder's rights and space. Without the file, every page counts as a new one."


class Pages:
    """What is known of pages. What is put is there for good only after `save`. For one thread."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raise `PagesError`."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path)
            self._db.execute(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise PagesError(f"{path} can't be used: {error}.") from error

    def get(self, url: str) -> Known | None:
        """Return what is known of a page; None if it was never read."""
        row = self._db.execute("SELECT links FROM pages WHERE url = ?", (url,)).fetchone()
        return None if row is None else _decode(row[0])

    def put(self, url: str, known: Known) -> None:
        """Note what is known of a page."""
        self._db.execute("INSERT OR REPLACE INTO pages (url, links) VALUES (?, ?)", (url, _encode(known)))

    def save(self) -> None:
        """Keep all that was put."""
        self._db.commit()

    def close(self) -> None:
        """Close the file."""
        self._db.close()
