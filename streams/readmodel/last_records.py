"""Tables that hold the last record of each key of a topic, in columns."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, Table

from flatline.readmodel.address_rows import chunks
from flatline.readmodel.database import upsert
from flatline.readmodel.records import Record
from flatline.schema.rejection import Rejected


def apply_last_records(
    connection: Connection, table: Table, records: Iterable[Record], row_of: Callable[[str, bytes, int], dict[str, Any]]
) -> None:
    """Keep the last record of each key, which is the table's primary key; a tombstone deletes it.

    ``row_of``: makes a row of key, value and time (ms); raises `Rejected` for a record that is left out
    """
    (key,) = table.primary_key
    newest: dict[str, dict[str, Any] | None] = {}
    for record in records:
        try:
            written = (record.key or b"").decode()
            newest[written] = None if record.value is None else row_of(written, record.value, record.timestamp)
        except (Rejected, UnicodeDecodeError):
            continue
    for chunk in chunks([written for written, row in newest.items() if row is None]):
        connection.execute(table.delete().where(key.in_(chunk)))
    upsert(connection, table, [row for row in newest.values() if row is not None])
