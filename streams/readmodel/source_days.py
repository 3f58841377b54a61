"""On which days each source reported something, and its last heartbeat of each."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, case

from flatline.domain.time import day_of
from flatline.domain.visibility.clamped_heartbeat import clamped
from flatline.domain.visibility.source_days import LastHeartbeat
from flatline.readmodel.database import insert_into
from flatline.readmodel.records import Record
from flatline.readmodel.tables import heartbeat_days, source_days
from flatline.schema import codec
from flatline.schema.rejection import Rejected


def count_events(connection: Connection, reported: Iterable[tuple[str | None, int]]) -> None:
    """Count link events by source and UTC day; those of no source are left out."""
    counted = Counter(each for each in reported if each[0])
    if not counted:
        return
    statement = insert_into(connection, source_days)
    more = {"events": source_days.c.events + statement.excluded.events}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["source", "day"], set_=more),
        [{"source": source, "day": day, "events": events} for (source, day), events in counted.items()],
    )


def note_heartbeats(connection: Connection, records: Iterable[Record]) -> None:
    """Keep the last heartbeat of each source and day. After a tombstone nothing more is expected of a source."""
    last: dict[tuple[str, int], LastHeartbeat] = {}
    for record in records:
        try:
            source, said = _read(record)
        except (Rejected, UnicodeDecodeError):
            continue
        place = source, day_of(said.sent_ms)
        last[place] = max(said, last.get(place, said), key=lambda each: each.sent_ms)
    if not last:
        return
    statement = insert_into(connection, heartbeat_days)
    is_newer = statement.excluded.sent_ms >= heartbeat_days.c.sent_ms
    newest: dict[str, Any] = {
        name: case((is_newer, statement.excluded[name]), else_=heartbeat_days.c[name]) for name in LastHeartbeat._fields
    }
    connection.execute(
        statement.on_conflict_do_update(index_elements=["source", "day"], set_=newest),
        [{"source": source, "day": day, **said._asdict()} for (source, day), said in last.items()],
    )


def _read(record: Record) -> tuple[str, LastHeartbeat]:
    if record.value is None:
        return (record.key or b"").decode(), LastHeartbeat(record.timestamp, record.timestamp, None)
    heartbeat = clamped(codec.heartbeats.decode(record.value), recorded_ms=record.timestamp)
    return heartbeat.source, LastHeartbeat.of(heartbeat)
