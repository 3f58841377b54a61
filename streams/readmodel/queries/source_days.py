"""The days of sources: when each was heard, stale or silent."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final

from msgspec import Meta, Struct
from sqlalchemy import ColumnElement, Connection, Row, func, select

from flatline.domain.state.visits import date_of
from flatline.domain.time import day_of
from flatline.domain.visibility.source_days import DayState, LastHeartbeat, day_states
from flatline.readmodel.tables import heartbeat_days, source_days

DAYS: Final = 182
DAYS_MAX: Final = 731
SOURCES_MAX: Final = 200


class SourceDay(Struct, frozen=True):
    """A UTC day of a source."""

    day: date
    state: Annotated[DayState, Meta(description="At the end of the day; stale goes before heard")]
    events: Annotated[int, Meta(description="Link events of that day, by when the source saw what it reports")]


class SourceCalendar(Struct, frozen=True):
    """The days of a source up to today, from the first on which it was heard."""

    source: str
    heard: Annotated[int, Meta(description="Days on which it was heard, and not stale in the end")]
    stale: int
    silent: Annotated[int, Meta(description="Days on which nothing came, and no heartbeat was overdue")]
    days: Annotated[list[SourceDay], Meta(description="The oldest first")]


def source_calendars(
    connection: Connection, *, now_ms: int, days: int = DAYS, source: str | None = None
) -> list[SourceCalendar]:
    """Return the calendars of all sources, or of one, with the last ``days`` days.

    Those that are stale come first, then those with most stale days, then by name; at most SOURCES_MAX.
    """
    today = day_of(now_ms)
    first_day = today - days + 1
    events: defaultdict[str, dict[int, int]] = defaultdict(dict)
    columns = source_days.c
    chosen = _within(columns, first_day, today, source)
    for name, day, number in connection.execute(select(columns.source, columns.day, columns.events).where(*chosen)):
        events[name][day] = number
    heartbeats: defaultdict[str, dict[int, LastHeartbeat]] = defaultdict(dict)
    sent = select(heartbeat_days).where(*_within(heartbeat_days.c, first_day, today, source))
    for row in connection.execute(sent):
        heartbeats[row.source][row.day] = _heartbeat(row)
    before = _before(connection, first_day, source)
    known_before = before.keys() | _reporting_before(connection, first_day, source)
    calendars = [
        _calendar(
            name,
            first_day if name in known_before else min((*events[name], *heartbeats[name])),
            now_ms=now_ms,
            events=events[name],
            heartbeats=heartbeats[name],
            before=before.get(name),
        )
        for name in sorted(events.keys() | heartbeats.keys() | known_before)
    ]
    calendars.sort(key=lambda each: (each.days[-1].state is not DayState.STALE, -each.stale))
    return calendars[:SOURCES_MAX]


def _calendar(
    source: str,
    first_day: int,
    *,
    now_ms: int,
    events: dict[int, int],
    heartbeats: dict[int, LastHeartbeat],
    before: LastHeartbeat | None,
) -> SourceCalendar:
    states = list(day_states(first_day, now_ms=now_ms, reporting=events, heartbeats=heartbeats, before=before))
    number = Counter(state for _, state in states)
    return SourceCalendar(
        source=source,
        heard=number[DayState.HEARD],
        stale=number[DayState.STALE],
        silent=number[DayState.SILENT],
        days=[SourceDay(date_of(day), state, events.get(day, 0)) for day, state in states],
    )


def _before(connection: Connection, first_day: int, source: str | None) -> dict[str, LastHeartbeat]:
    """Return the last heartbeat of each source before a day."""
    columns = heartbeat_days.c
    newest = (
        select(columns.source, func.max(columns.day).label("day"))
        .where(columns.day < first_day, *_of(columns, source))
        .group_by(columns.source)
        .subquery()
    )
    same = (columns.source == newest.c.source) & (columns.day == newest.c.day)
    return {row.source: _heartbeat(row) for row in connection.execute(select(heartbeat_days).join(newest, same))}


def _reporting_before(connection: Connection, first_day: int, source: str | None) -> set[str]:
    """Return the sources that reported links of a time before a day."""
    columns = source_days.c
    statement = select(columns.source).distinct().where(columns.day < first_day, *_of(columns, source))
    return set(connection.scalars(statement))


def _within(columns: Any, first_day: int, last_day: int, source: str | None) -> Sequence[ColumnElement[bool]]:
    return columns.day.between(first_day, last_day), *_of(columns, source)


def _of(columns: Any, source: str | None) -> Sequence[ColumnElement[bool]]:
    return () if source is None else (columns.source == source,)


def _heartbeat(row: Row[Any]) -> LastHeartbeat:
    return LastHeartbeat(row.sent_ms, row.seen_until_ms, row.limit_ms)
