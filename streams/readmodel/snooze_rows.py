"""Snoozes: the last record of each."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection

from flatline.domain.snoozes import read_snooze
from flatline.domain.time import to_ms
from flatline.readmodel.last_records import apply_last_records
from flatline.readmodel.records import Record
from flatline.readmodel.tables import snoozes


def apply_snoozes(connection: Connection, records: Iterable[Record]) -> None:
    """Keep the last record of each snooze."""
    apply_last_records(connection, snoozes, records, _row)


def _row(number: str, value: bytes, _recorded_ms: int) -> dict[str, Any]:
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
