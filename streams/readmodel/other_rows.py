"""Visits, dead letters, and the records of small topics."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from sqlalchemy import Connection, bindparam, case

from flatline.domain.state.visits import day_of_visits, sending_page
from flatline.domain.urls.canonical import article_key, referring_domain
from flatline.readmodel.address_rows import AddressRows
from flatline.readmodel.database import Database, insert_into, upsert
from flatline.readmodel.live_rows import Happened
from flatline.readmodel.records import Record
from flatline.readmodel.tables import compacted, dead_letters, digest, visits
from flatline.schema import codec
from flatline.schema.dead_letter import BY_HEADER, RESENDS_HEADER
from flatline.schema.rejection import Rejected

DIGITS_MAX: Final = 18
"""Of a number that fits a column."""

WORD_CHARACTERS_MAX: Final = 500
"""Of what a dead letter says of itself; ours are no longer."""

VALUE_CHARACTERS_MAX: Final = 4_096
"""Of a dead letter. The whole record is in its topic."""


class StoredRecord(Record, Protocol):
    """A record with its place and its headers."""

    offset: int
    headers: Iterable[tuple[str, bytes]]


def apply_visits(connection: Connection, addresses: AddressRows, records: Iterable[Record]) -> set[int]:
    """Take visits: of several reports on a domain and a day the largest counts. Return the articles that have some."""
    largest: dict[tuple[str, int, str], int] = {}
    for record in records:
        try:
            said = codec.visits.decode(record.value)
            key = article_key(said.url, field="url").decode()
            day = day_of_visits(said, recorded_ms=record.timestamp).day
            domain = referring_domain(sending_page(said))
        except Rejected:
            continue
        place = key, day, domain
        largest[place] = max(said.visits, largest.get(place, 0))
    if not largest:
        return set()
    ids = addresses.ids(connection, (key for key, _, _ in largest))
    statement = insert_into(connection, visits)
    known, said_now = visits.c.visits, statement.excluded.visits
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["address_id", "day", "domain"],
            set_={"visits": case((said_now > known, said_now), else_=known)},
        ),
        [
            {"address_id": ids[key], "day": day, "domain": domain, "visits": number}
            for (key, day, domain), number in largest.items()
        ],
    )
    return {addresses.article_of(number) for number in ids.values()}


def apply_compacted(connection: Connection, topic: str, records: Iterable[Record]) -> None:
    """Keep the newest record of each key."""
    newest = {record.key or b"": record for record in records}
    for key, record in newest.items():
        if record.value is None:
            connection.execute(compacted.delete().where(compacted.c.topic == topic, compacted.c.digest == digest(key)))
    rows = [
        {
            "topic": topic,
            "digest": digest(key),
            "about": digest(key.partition(b"/")[2]),
            "key": key,
            "value": record.value,
            "recorded_ms": record.timestamp,
        }
        for key, record in newest.items()
        if record.value is not None
    ]
    upsert(connection, compacted, rows)


def apply_dead_letters(connection: Connection, records: Iterable[StoredRecord]) -> list[Happened]:
    """Keep dead letters, and which were sent again; return what happened."""
    rows: list[dict[str, Any]] = []
    resent: list[dict[str, Any]] = []
    for record in records:
        headers = _words(record)
        if (number := _number(headers, RESENDS_HEADER)) is not None:
            resent.append({"number": number, "at_ms": record.timestamp, "by": headers.get(BY_HEADER)})
        else:
            rows.append(_dead_letter(record, headers))
    upsert(connection, dead_letters, rows)
    if resent:
        of_letter = dead_letters.update().where(dead_letters.c.id == bindparam("number"))
        connection.execute(of_letter.values(resent_ms=bindparam("at_ms"), resent_by=bindparam("by")), resent)
    return [
        Happened(row["recorded_ms"], "dead_letter", None, {name: row[name] for name in ("id", "reason", "detail")})
        for row in rows
    ]


def _words(record: StoredRecord) -> dict[str, str]:
    return {name: (value or b"").decode(errors="replace")[:WORD_CHARACTERS_MAX] for name, value in record.headers}


def _dead_letter(record: StoredRecord, headers: Mapping[str, str]) -> dict[str, Any]:
    value = record.value or b""
    return {
        "id": record.offset,
        "recorded_ms": record.timestamp,
        "reason": headers.get("reason", ""),
        "detail": headers.get("detail", ""),
        "topic": headers.get("topic"),
        "partition": _number(headers, "partition"),
        "record_offset": _number(headers, "offset"),
        "source": headers.get("source"),
        "file": headers.get("file"),
        "line": _number(headers, "line"),
        "key": None if record.key is None else record.key.decode(errors="replace")[:VALUE_CHARACTERS_MAX],
        "value": value[: 4 * VALUE_CHARACTERS_MAX].decode(errors="replace")[:VALUE_CHARACTERS_MAX],
        "value_bytes": len(value),
    }


def _number(headers: Mapping[str, str], name: str) -> int | None:
    """Return the number of a header; None where it is none: anybody may write to the topic."""
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX else None


def forget_dead_letters(database: Database, begin: int) -> None:
    """Delete the dead letters that their topic does not keep any more: those before its first offset."""
    with database.writing() as connection:
        connection.execute(dead_letters.delete().where(dead_letters.c.id < begin))
