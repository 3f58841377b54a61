"""Alerts, from the verdicts that raise and end them, and what people say of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from flatline.domain.alerts import Alert, read_mark
from flatline.domain.time import to_ms
from flatline.readmodel.address_rows import chunks
from flatline.readmodel.last_records import apply_last_records
from flatline.readmodel.records import Record
from flatline.readmodel.tables import alert_marks, alerts


class Said(NamedTuple):
    """What a verdict alerts of, which may be nothing. ``probability``: that no link comes in ``horizon_days``."""

    subject: str
    judged_ms: int
    alerts: Sequence[Alert] = ()
    probability: float | None = None
    horizon_days: int | None = None


def apply_alerts(connection: Connection, said: Sequence[Said]) -> None:
    """Raise and end alerts, as verdicts say one after the other. What was applied before changes nothing."""
    open_now = _open_alerts(connection, sorted({each.subject for each in said}))
    raised: dict[str, dict[str, Any]] = {}
    ended: dict[str, int | None] = {}
    for verdict in said:
        is_open = open_now[verdict.subject]
        ids = {alert.id for alert in verdict.alerts}
        for over in [each for each, since in is_open.items() if each not in ids and since <= verdict.judged_ms]:
            ended[over] = verdict.judged_ms
            del is_open[over]
        for alert in verdict.alerts:
            if alert.id not in is_open:
                is_open[alert.id] = verdict.judged_ms
                ended[alert.id] = None
                raised.setdefault(alert.id, _row(alert, verdict))
    known: set[str] = set()
    for chunk in chunks(list(raised)):
        known.update(connection.scalars(select(alerts.c.id).where(alerts.c.id.in_(chunk))))
    if new := [row for number, row in raised.items() if number not in known]:
        connection.execute(alerts.insert(), new)
    if ended:
        connection.execute(
            update(alerts).where(alerts.c.id == bindparam("number")).values(ended_ms=bindparam("end")),
            [{"number": number, "end": end} for number, end in ended.items()],
        )


def _open_alerts(connection: Connection, subjects: list[str]) -> defaultdict[str, dict[str, int]]:
    """Return by subject the alerts that have not ended, and when each was raised."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    columns = alerts.c
    for chunk in chunks(subjects):
        statement = select(columns.subject, columns.id, columns.alerted_ms)
        for subject, number, alerted_ms in connection.execute(
            statement.where(columns.subject.in_(chunk), columns.ended_ms.is_(None))
        ):
            found[subject][number] = alerted_ms
    return found


def _row(alert: Alert, verdict: Said) -> dict[str, Any]:
    return {
        "id": alert.id,
        "subject": alert.subject,
        "kind": alert.kind.value,
        "since_ms": alert.since_ms,
        "alerted_ms": verdict.judged_ms,
        "ended_ms": None,
        "reason": alert.reason,
        "probability": verdict.probability,
        "horizon_days": verdict.horizon_days,
    }


def apply_marks(connection: Connection, records: Iterable[Record]) -> None:
    """Keep the last mark of each alert."""
    apply_last_records(connection, alert_marks, records, _mark)


def _mark(number: str, value: bytes, recorded_ms: int) -> dict[str, Any]:
    said = read_mark(number.encode(), value)
    return {
        "alert_id": number,
        "subject": said.subject,
        "kind": said.kind.value,
        "since_ms": to_ms(said.since),
        "mark": said.mark.value,
        "because": None if said.because is None else said.because.value,
        "marked_ms": min(to_ms(said.marked_at), recorded_ms),
        "marked_by": said.by,
        "note": said.note,
    }
