"""What happened, for the live feed: the newest of it."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, func, select

from flatline.readmodel.tables import live

KEPT_MAX: Final = 10_000


class Happened(NamedTuple):
    """A link, a verdict or a group changed, or a record became a dead letter. ``said``: as JSON."""

    at_ms: int
    kind: str
    article: str | None
    said: dict[str, Any]


class LiveRows:
    """The feed's rows: KEPT_MAX at most."""

    def __init__(self, connection: Connection) -> None:
        self._next_id: int = (connection.scalar(select(func.max(live.c.id))) or 0) + 1

    def add(self, connection: Connection, happened: Sequence[Happened]) -> None:
        """Add what happened; of more than KEPT_MAX the last ones. What is left out has had numbers, too."""
        if not happened:
            return
        first, self._next_id = self._next_id, self._next_id + len(happened)
        rows = [
            {
                "id": number,
                "at_ms": each.at_ms,
                "kind": each.kind,
                "article": each.article,
                "said": msgspec.json.encode(each.said).decode(),
            }
            for number, each in list(enumerate(happened, start=first))[-KEPT_MAX:]
        ]
        connection.execute(live.insert(), rows)
        connection.execute(delete(live).where(live.c.id < self._next_id - KEPT_MAX))
