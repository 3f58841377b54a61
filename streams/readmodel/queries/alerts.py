"""Alerts, with what people say of them."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, or_, select

from flatline.domain.time import to_datetime
from flatline.readmodel.address_rows import chunks
from flatline.readmodel.queries.bounds import Bounds, within
from flatline.readmodel.queries.paging import page_of
from flatline.readmodel.queries.rows import instant
from flatline.readmodel.queries.views import AlertRow, Page
from flatline.readmodel.tables import alert_marks, alerts, articles
from flatline.schema.alert_mark import AlertKind, ExpectedBecause, Mark

Marked = Literal["right", "expected", "wrong", "none"]

_MARK: Final = alert_marks.c
_NOT_MARKED: Final = or_(_MARK.mark.is_(None), _MARK.mark == Mark.WITHDRAWN.value)


class AlertFilter(Struct, frozen=True, forbid_unknown_fields=True):
    """Which alerts; all that are not null have to fit."""

    id: Annotated[str, Meta(max_length=64, description="How the id begins")] | None = None
    subject: Annotated[str, Meta(max_length=4_096, description="Article key, or `kind/name` of a group")] | None = None
    kind: Annotated[list[AlertKind], Meta(description="Any of these kinds")] = []
    mark: Annotated[list[Marked], Meta(description="Any of these marks; none: not marked")] = []
    open: Annotated[bool | None, Meta(description="true: it still holds; false: it has ended")] = None


def list_alerts(
    connection: Connection,
    chosen: AlertFilter,
    *,
    cursor: str | None = None,
    limit: int = 50,
    bounds: Bounds | None = None,
) -> Page[AlertRow]:
    """Return a page of alerts, the newest first; within bounds, those of articles. Raises CursorError."""
    statement = _alerts().where(*within(bounds))
    if chosen.id is not None:
        statement = statement.where(alerts.c.id.startswith(chosen.id, autoescape=True))
    if chosen.subject is not None:
        statement = statement.where(alerts.c.subject == chosen.subject)
    if chosen.kind:
        statement = statement.where(alerts.c.kind.in_([each.value for each in chosen.kind]))
    if chosen.mark:
        statement = statement.where(or_(*(_is_marked(each) for each in chosen.mark)))
    if chosen.open is not None:
        statement = statement.where(alerts.c.ended_ms.is_(None) if chosen.open else alerts.c.ended_ms.is_not(None))
    rows, following = page_of(
        connection,
        statement,
        order=f"alerts {chosen}",
        column=alerts.c.alerted_ms,
        number=alerts.c.id,
        is_descending=True,
        cursor=cursor,
        limit=limit,
    )
    return Page([_row(row) for row in rows], following)


def find_alert(connection: Connection, number: str) -> AlertRow | None:
    """Return the alert with an id; None where there is none."""
    return next(iter(find_alerts(connection, [number])), None)


def find_alerts(connection: Connection, numbers: Sequence[str]) -> list[AlertRow]:
    """Return the alerts with these ids, as far as there are any."""
    found: list[AlertRow] = []
    for chunk in chunks(numbers):
        found += [_row(row) for row in connection.execute(_alerts().where(alerts.c.id.in_(chunk))).mappings()]
    return found


def find_alerts_between(connection: Connection, kind: AlertKind, begin_ms: int, end_ms: int) -> list[AlertRow]:
    """Return the alerts of a kind that came from an instant until before another one, the newest first."""
    columns = alerts.c
    chosen = (
        _alerts()
        .where(columns.kind == kind.value, columns.alerted_ms >= begin_ms, columns.alerted_ms < end_ms)
        .order_by(columns.alerted_ms.desc(), columns.id)
    )
    return [_row(row) for row in connection.execute(chosen).mappings()]


def _alerts() -> Select[Any]:
    marks = [_MARK[name] for name in ("mark", "because", "marked_ms", "marked_by", "note")]
    return (
        select(alerts, articles.c.title, *marks)
        .outerjoin(articles, articles.c.key == alerts.c.subject)
        .outerjoin(alert_marks, _MARK.alert_id == alerts.c.id)
    )


def _is_marked(mark: Marked) -> ColumnElement[bool]:
    return _NOT_MARKED if mark == "none" else _MARK.mark == mark


def _row(row: RowMapping) -> AlertRow:
    mark = None if row["mark"] in (None, Mark.WITHDRAWN.value) else Mark(row["mark"])
    return AlertRow(
        id=row["id"],
        subject=row["subject"],
        title=row["title"],
        kind=AlertKind(row["kind"]),
        since=to_datetime(row["since_ms"]),
        alerted_at=to_datetime(row["alerted_ms"]),
        ended_at=instant(row["ended_ms"]),
        reason=row["reason"],
        probability=row["probability"],
        horizon_days=row["horizon_days"],
        mark=mark,
        because=ExpectedBecause(row["because"]) if mark and row["because"] else None,
        marked_at=instant(row["marked_ms"]) if mark else None,
        marked_by=row["marked_by"] if mark else None,
        note=row["note"] if mark else None,
    )
