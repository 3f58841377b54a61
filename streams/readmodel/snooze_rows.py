"""Snoozes: the last record of each."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection

from flatline.domain.snoozes import read_snooze
from flatline.domain.time import to_ms
from flatline.readmodel.address_rows import chunks
from flatline.readmodel.database import upsert
from flatline.readmodel.records import Record
from flatline.readmodel.tables import snoozes
from flatline.schema.rejection import Rejected


def apply_snoozes(connection: Connection, records: Iterable[Record]) -> None:
    """Keep the last record of each snooze."""
    newest: dict[str, dict[str, Any] | None] = {}
    for record in records:
        try:
            number = (record.key or b"").decode()
            newest[number] = None if record.value is None else _row(number, record.value)
        except (Rejected, UnicodeDecodeError):
            continue
    for chunk in chunks([number for number, row in newest.items() if row is None]):
        connection.execute(snoozes.delete().where(snoozes.c.id.in_(chunk)))
    upsert(connection, snoozes, [row for row in newest.values() if row is not None])


def _row(number: str, value: bytes) -> dict[str, Any]:
    said = read_snooze(number.encode(), value)
    return {
        "id": number,
        "labels": msgspec.json.encode(said.labels).decode(),
        "until_ms": to_ms(said.until),
        "why": said.why,
        "by": said.by,
        "snoozed_ms": to_ms(said.snoozed_at),
        "is_ended": said.is_ended,
    }
