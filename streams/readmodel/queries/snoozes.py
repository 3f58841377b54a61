"""Snoozes, those that hold first."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import Connection, RowMapping, select

from flatline.domain.time import to_datetime
from flatline.readmodel.tables import snoozes

SNOOZES_MAX: Final = 1_000


class SnoozeRow(Struct, frozen=True):
    """Alerts that are not told for a while."""

    id: str
    labels: dict[str, str]
    until: datetime
    why: str
    by: str
    snoozed_at: datetime
    is_ended: Annotated[bool, Meta(description="Somebody ended it before its time")]


def list_snoozes(connection: Connection) -> list[SnoozeRow]:
    """Return the snoozes that end last, at most SNOOZES_MAX; those that ended, too."""
    statement = select(snoozes).order_by(snoozes.c.is_ended, snoozes.c.until_ms.desc(), snoozes.c.id)
    return [_row(row) for row in connection.execute(statement.limit(SNOOZES_MAX)).mappings()]


def find_snooze(connection: Connection, number: str) -> SnoozeRow | None:
    """Return the snooze with an id; None where there is none."""
    row = connection.execute(select(snoozes).where(snoozes.c.id == number)).mappings().first()
    return None if row is None else _row(row)


def _row(row: RowMapping) -> SnoozeRow:
    return SnoozeRow(
        id=row["id"],
        labels=msgspec.json.decode(row["labels"], type=dict[str, str]),
        until=to_datetime(row["until_ms"]),
        why=row["why"],
        by=row["by"],
        snoozed_at=to_datetime(row["snoozed_ms"]),
        is_ended=row["is_ended"],
    )
