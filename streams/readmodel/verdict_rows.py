"""Verdicts on articles and groups: the newest, and each change of one."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, and_, bindparam, func, select, update

from flatline.domain.alerts import alerts_of, alerts_of_group
from flatline.domain.time import to_ms
from flatline.domain.urls.canonical import InvalidUrl, canonicalize, referring_domain
from flatline.readmodel.address_rows import AddressRows, chunks
from flatline.readmodel.alert_rows import Said, apply_alerts
from flatline.readmodel.database import upsert
from flatline.readmodel.live_rows import Happened
from flatline.readmodel.records import Record
from flatline.readmodel.tables import articles, group_history, groups, verdict_history
from flatline.schema import codec
from flatline.schema.group import GroupVerdict
from flatline.schema.rejection import Rejected
from flatline.schema.verdict import Verdict

_OF_NEWEST: Final = ("state", "since_ms", "judged_ms", "probability", "score", "suppressed", "reason", "findings")
"""Columns of `articles` that are as in the newest row of the history; null where the verdict was taken back."""


def apply_verdicts(connection: Connection, addresses: AddressRows, records: Iterable[Record]) -> list[Happened]:
    """Take the newest verdict of each article, and keep each change in its history; return the changes."""
    taken: list[tuple[str, Verdict | None, Record]] = []
    for record in records:
        try:
            key = (record.key or b"").decode()
            taken.append((key, None if record.value is None else codec.verdicts.decode(record.value), record))
        except (Rejected, UnicodeDecodeError):
            continue
    ids = addresses.known_ids(connection, (key for key, verdict, _ in taken if verdict is None))
    ids |= addresses.ids(connection, (key for key, verdict, _ in taken if verdict is not None))
    ensure_articles(connection, {number: key for key, number in ids.items()})
    said = _said_before(connection, list(ids.values()))
    history: list[dict[str, Any]] = []
    newest: dict[int, dict[str, Any]] = {}
    happened: list[Happened] = []
    for key, verdict, record in taken:
        number = ids.get(key)
        if number is None or (verdict is None and number not in said):
            continue  # a verdict that was never known is taken back
        row = _history_row(number, verdict, record)
        said_now = dict.fromkeys(_OF_NEWEST) if verdict is None else {name: row[name] for name in _OF_NEWEST}
        is_floor = None if verdict is None else verdict.is_floor
        newest[number] = said_now | {"is_floor": is_floor, "verdict": record.value}
        now = _what_is_said(row)
        if said.get(number) == now:
            continue
        said[number] = now
        history.append(row)
        about = {name: row[name] for name in ("state", "since_ms", "suppressed", "reason")}
        happened.append(Happened(row["judged_ms"], "verdict", key, about))
    if newest:
        names = next(iter(newest.values()))
        statement = update(articles).where(articles.c.id == bindparam("number"))
        rows = [{"number": number, **values} for number, values in newest.items()]
        connection.execute(statement.values({name: bindparam(name) for name in names}), rows)
    upsert(connection, verdict_history, history)
    apply_alerts(connection, [_said_of_article(key, verdict, record) for key, verdict, record in taken])
    return happened


def _said_of_article(key: str, verdict: Verdict | None, record: Record) -> Said:
    if verdict is None:
        return Said(key, record.timestamp)
    return Said(
        key,
        to_ms(verdict.judged_at),
        [alert for alert in alerts_of(verdict) if alert.subject == key],
        verdict.probability,
        verdict.horizon_days,
    )


def ensure_articles(connection: Connection, keys: dict[int, str]) -> None:
    """Have a row for each article, by its id."""
    known: set[int] = set()
    for chunk in chunks(list(keys)):
        known.update(connection.scalars(select(articles.c.id).where(articles.c.id.in_(chunk))))
    rows = [
        {
            "id": number,
            "key": key,
            "is_there": False,
            "site": site_of(key),
            "removed_ms": 0,
            "gained": 0,
            "lost": 0,
            "live": 0,
            "domains": 0,
        }
        for number, key in keys.items()
        if number not in known
    ]
    if rows:
        connection.execute(articles.insert(), rows)


def site_of(key: str) -> str:
    """Return the registrable domain of an article; empty for a key that is no URL: anybody may write to the topic."""
    try:
        return referring_domain(canonicalize(key))
    except InvalidUrl:
        return ""


def _said_before(connection: Connection, numbers: list[int]) -> dict[int, tuple[object, ...]]:
    """Return what the newest row of each address' history says."""
    found: dict[int, tuple[object, ...]] = {}
    columns = verdict_history.c
    for chunk in chunks(numbers):
        newest = (
            select(columns.address_id, func.max(columns.judged_ms).label("judged_ms"))
            .where(columns.address_id.in_(chunk))
            .group_by(columns.address_id)
            .subquery()
        )
        is_newest = and_(columns.address_id == newest.c.address_id, columns.judged_ms == newest.c.judged_ms)
        for row in connection.execute(select(verdict_history).join(newest, is_newest)).mappings():
            found[row["address_id"]] = _what_is_said(row)
    return found


def _what_is_said(row: Mapping[str, Any] | RowMapping) -> tuple[object, ...]:
    return row["state"], row["since_ms"], row["suppressed"], row["findings"]


def _history_row(number: int, verdict: Verdict | None, record: Record) -> dict[str, Any]:
    if verdict is None:
        empty = {"state": None, "since_ms": None, "probability": None, "score": None, "reason": None}
        return {
            "address_id": number,
            "judged_ms": record.timestamp,
            "suppressed": False,
            "findings": "",
            "gained": 0,
            **empty,
        }
    return {
        "address_id": number,
        "judged_ms": to_ms(verdict.judged_at),
        "state": verdict.state.value,
        "since_ms": to_ms(verdict.since),
        "suppressed": verdict.suppressed,
        "findings": " ".join(sorted(each.kind.value for each in verdict.findings)),
        "probability": verdict.probability,
        "score": verdict.score,
        "gained": verdict.gained_total,
        "reason": verdict.reason,
    }


def apply_groups(connection: Connection, records: Iterable[Record]) -> list[Happened]:
    """Take the newest verdict of each group, and keep each change in its history; return the changes."""
    newest: dict[tuple[str, str], GroupVerdict | None] = {}
    said: dict[tuple[str, str], tuple[object, ...] | None] = {}
    history: list[dict[str, Any]] = []
    happened: list[Happened] = []
    alerted: list[Said] = []
    for record in records:
        try:
            kind, _, name = (record.key or b"").decode().partition("/")
            verdict = None if record.value is None else codec.groups.decode(record.value)
        except (Rejected, UnicodeDecodeError):
            continue
        if verdict is not None:
            kind, name = verdict.kind.value, verdict.name
        row = _group_row(kind, name, verdict, record)
        alerted.append(Said(f"{kind}/{name}", row["judged_ms"], list(alerts_of_group(verdict)) if verdict else ()))
        if (kind, name) not in said:
            said[kind, name] = _group_said_before(connection, kind, name)
        if verdict is None and said[kind, name] is None:
            continue  # a verdict that was never known is taken back
        newest[kind, name] = verdict
        now = row["state"], row["since_ms"], row["suppressed"]
        if said[kind, name] == now:
            continue
        said[kind, name] = now
        history.append(row)
        about = {name: row[name] for name in ("kind", "name", "state", "since_ms", "reason")}
        happened.append(Happened(row["judged_ms"], "group", None, about))
    upsert(connection, group_history, history)
    apply_alerts(connection, alerted)
    for (kind, name), verdict in newest.items():
        if verdict is None:
            connection.execute(groups.delete().where(groups.c.kind == kind, groups.c.name == name))
    rows = [
        {
            "kind": kind,
            "name": name,
            "state": verdict.state.value,
            "since_ms": to_ms(verdict.since),
            "articles": verdict.articles,
            "verdict": codec.groups.encode(verdict),
        }
        for (kind, name), verdict in newest.items()
        if verdict is not None
    ]
    upsert(connection, groups, rows)
    return happened


def _group_said_before(connection: Connection, kind: str, name: str) -> tuple[object, ...] | None:
    """Return what the newest row of a group's history says; None where there is none."""
    columns = group_history.c
    found = connection.execute(
        select(columns.state, columns.since_ms, columns.suppressed)
        .where(columns.kind == kind, columns.name == name)
        .order_by(columns.judged_ms.desc())
        .limit(1)
    ).first()
    return None if found is None else tuple(found)


def _group_row(kind: str, name: str, verdict: GroupVerdict | None, record: Record) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": name,
        "judged_ms": record.timestamp if verdict is None else to_ms(verdict.judged_at),
        "state": None if verdict is None else verdict.state.value,
        "since_ms": None if verdict is None else to_ms(verdict.since),
        "suppressed": verdict is not None and verdict.suppressed,
        "reason": None if verdict is None else verdict.reason,
    }
