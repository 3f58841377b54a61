"""Sources, dead letters, and what happened last."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import Connection, RowMapping, select

from flatline.domain.time import to_datetime
from flatline.domain.visibility.clamped_heartbeat import clamped
from flatline.domain.visibility.sources import Sources
from flatline.readmodel.database import meta_of
from flatline.readmodel.other_rows import DIGITS_MAX
from flatline.readmodel.projection import HEARTBEATS
from flatline.readmodel.queries.paging import page_of
from flatline.readmodel.queries.rows import instant
from flatline.readmodel.queries.views import DeadLetterRow, LiveEvent, Page, SourceRow
from flatline.readmodel.read_models import EPOCH
from flatline.readmodel.tables import compacted, dead_letters, live, sources
from flatline.schema import codec
from flatline.schema.heartbeat import Heartbeat
from flatline.schema.rejection import Reason, Rejected

SOURCES_MAX: Final = 10_000
HAPPENED_MAX: Final = 500


class DeadLetterFilter(Struct, frozen=True, forbid_unknown_fields=True):
    """Which dead letters; all that are not null have to fit."""

    reason: Reason | None = None
    topic: Annotated[str, Meta(max_length=300)] | None = None
    source: Annotated[str, Meta(max_length=200)] | None = None
    resent: Annotated[bool | None, Meta(description="Whether the record was sent again")] = None


def list_sources(connection: Connection, *, now_ms: int) -> list[SourceRow]:
    """Return all sources by name, those that sent a heartbeat or saw a link; their freshness at ``now_ms``."""
    known = Sources()
    heartbeats: dict[str, Heartbeat] = {}
    statement = select(compacted).where(compacted.c.topic == HEARTBEATS).order_by(compacted.c.recorded_ms)
    for row in connection.execute(statement.limit(SOURCES_MAX)).mappings():
        try:
            heartbeat = codec.heartbeats.decode(row["value"])
        except Rejected:
            continue
        known.receive(heartbeat, recorded_ms=row["recorded_ms"])
        heartbeats[heartbeat.source] = clamped(heartbeat, recorded_ms=row["recorded_ms"])
    freshness = known.freshness(now_ms)
    seen = {row.source: row for row in connection.execute(select(sources).limit(SOURCES_MAX))}
    found: list[SourceRow] = []
    for source in sorted(heartbeats.keys() | seen.keys()):
        sent, fresh, links = heartbeats.get(source), freshness.get(source), seen.get(source)
        found.append(
            SourceRow(
                source=source,
                is_stale=None if fresh is None else fresh.is_stale,
                seen_until=None if sent is None else sent.seen_until,
                heartbeat_at=None if sent is None else sent.sent_at,
                period_s=None if sent is None else sent.period_s,
                stale_after_s=None if fresh is None else fresh.limit_ms / 1_000,
                pages_seen=None if sent is None else sent.pages_seen,
                errors=None if sent is None else sent.errors,
                first_seen_at=None if links is None else instant(links.first_seen_ms),
                last_seen_at=None if links is None else instant(links.last_seen_ms),
                links=0 if links is None else links.links,
                only_here=0 if links is None else links.only_here,
                first_here=0 if links is None else links.first_here,
                corroborated=0 if links is None else links.corroborated,
                dead=0 if links is None else links.dead,
            )
        )
    return found


def list_dead_letters(
    connection: Connection, chosen: DeadLetterFilter, *, cursor: str | None = None, limit: int = 50
) -> Page[DeadLetterRow]:
    """Return a page of dead letters, the newest first. Raises CursorError."""
    statement = select(dead_letters)
    if chosen.resent is not None:
        statement = statement.where(dead_letters.c.resent_ms.is_not(None) == chosen.resent)
    for name in ("reason", "topic", "source"):
        if (value := getattr(chosen, name)) is not None:
            statement = statement.where(dead_letters.c[name] == value)
    rows, following = page_of(
        connection,
        statement,
        order=f"dead letters {chosen}",
        column=dead_letters.c.id,
        number=dead_letters.c.id,
        is_descending=True,
        cursor=cursor,
        limit=limit,
    )
    return Page([_dead_letter(row) for row in rows], following)


def find_dead_letter(connection: Connection, number: str) -> DeadLetterRow | None:
    """Return the dead letter with an offset, as text; None if there is none."""
    if not (number.isascii() and number.isdecimal() and len(number) <= DIGITS_MAX):
        return None
    row = connection.execute(select(dead_letters).where(dead_letters.c.id == int(number))).mappings().one_or_none()
    return None if row is None else _dead_letter(row)


def _dead_letter(row: RowMapping) -> DeadLetterRow:
    fields = {name: value for name, value in row.items() if name in DeadLetterRow.__struct_fields__}
    resent_at = instant(row["resent_ms"])
    return DeadLetterRow(offset=row["id"], at=to_datetime(row["recorded_ms"]), resent_at=resent_at, **fields)


def happened_since(connection: Connection, last_id: str | None) -> tuple[list[LiveEvent], bool]:
    """Return what happened after an event, at most HAPPENED_MAX of it, and whether something before that is gone.

    Without an event: what happened last.
    """
    epoch = meta_of(connection).get(EPOCH, "")
    known_epoch, _, number = (last_id or "").partition("-")
    is_known = known_epoch == epoch and number.isascii() and number.isdecimal() and len(number) <= DIGITS_MAX
    first = connection.scalar(select(live.c.id).order_by(live.c.id).limit(1)) or 1
    if is_known:
        statement = select(live).where(live.c.id > int(number)).order_by(live.c.id).limit(HAPPENED_MAX)
        rows = list(connection.execute(statement).mappings())
        is_gone = int(number) + 1 < first
    else:
        newest = select(live).order_by(live.c.id.desc()).limit(HAPPENED_MAX)
        rows = list(reversed(list(connection.execute(newest).mappings())))
        is_gone = last_id is not None
    events = [
        LiveEvent(
            f"{epoch}-{row['id']}",
            to_datetime(row["at_ms"]),
            row["kind"],
            row["article"],
            msgspec.json.decode(row["said"]),
        )
        for row in rows
    ]
    return events, is_gone
