"""Groups of articles, and what is learned of them."""

from collections.abc import Iterable
from typing import Annotated, Any

from msgspec import Meta, Struct
from sqlalchemy import Connection, select

from flatline.domain.groups.survey import Membership
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.learned.expectation import Baseline
from flatline.readmodel.projection import GROUP_PARTS
from flatline.readmodel.queries.paging import page_of
from flatline.readmodel.queries.rows import instant
from flatline.readmodel.queries.views import GroupChange, GroupDetail, GroupRow, Page
from flatline.readmodel.tables import compacted, digest, group_history, groups
from flatline.schema import codec
from flatline.schema.group import GroupKind, GroupState, GroupVerdict
from flatline.schema.rejection import Rejected

HISTORY_MAX = 500


class GroupFilter(Struct, frozen=True, forbid_unknown_fields=True):
    """Which groups; all that are not null have to fit."""

    kind: GroupKind | None = None
    state: Annotated[list[GroupState], Meta(description="Any of these states")] = []


def list_groups(
    connection: Connection, chosen: GroupFilter, *, cursor: str | None = None, limit: int = 50
) -> Page[GroupRow]:
    """Return a page of the groups that have a verdict, by name. Raises CursorError."""
    statement = select(groups)
    if chosen.kind is not None:
        statement = statement.where(groups.c.kind == chosen.kind.value)
    if chosen.state:
        statement = statement.where(groups.c.state.in_([each.value for each in chosen.state]))
    rows, following = page_of(
        connection,
        statement,
        order=f"groups {chosen}",
        column=groups.c.name,
        number=groups.c.kind,
        is_descending=False,
        cursor=cursor,
        limit=limit,
    )
    return Page([_row(GroupKind(row["kind"]), row["name"], row["verdict"]) for row in rows], following)


def find_group(connection: Connection, kind: GroupKind, name: str) -> GroupDetail | None:
    """Return a group with its history; None where there is none."""
    value = connection.scalar(select(groups.c.verdict).where(groups.c.kind == kind.value, groups.c.name == name))
    if value is None:
        return None
    columns = group_history.c
    statement = (
        select(group_history)
        .where(columns.kind == kind.value, columns.name == name)
        .order_by(columns.judged_ms.desc())
        .limit(HISTORY_MAX)
    )
    history = [
        GroupChange(
            judged_at=instant(row["judged_ms"]),  # type: ignore[arg-type] # it is never null
            state=None if row["state"] is None else GroupState(row["state"]),
            since=instant(row["since_ms"]),
            suppressed=row["suppressed"],
            reason=row["reason"],
        )
        for row in connection.execute(statement).mappings()
    ]
    return GroupDetail(_row(kind, name, value), history)


def groups_of(connection: Connection, membership: Membership) -> list[GroupRow]:
    """Return the groups that an article belongs to."""
    found: list[GroupRow] = []
    for group in membership.groups:
        statement = select(groups.c.verdict).where(groups.c.kind == group.kind.value, groups.c.name == group.name)
        found.append(_row(group.kind, group.name, connection.scalar(statement)))
    return found


def baseline_of(connection: Connection, membership: Membership, *, partitions: int) -> Baseline:
    """Return what is learned of articles like this one, by the newest survey of all partitions."""
    totals = GroupTotals(partitions)
    # There are up to 2,000 groups a partition: those that the article is in, and what ends the rounds, are read.
    about = [b"", *(f"{group.kind}/{group.name}".encode() for group in membership.groups)]
    statement = (
        select(compacted)
        .where(compacted.c.topic == GROUP_PARTS, compacted.c.about.in_([digest(each) for each in about]))
        .order_by(compacted.c.recorded_ms)
    )
    for row in _with_rounds_last(connection.execute(statement).mappings()):
        try:
            totals.receive_record(row["key"], row["value"], row["recorded_ms"])
        except Rejected:
            continue
    return totals.baseline_of(membership)


def _with_rounds_last(rows: Iterable[Any]) -> list[Any]:
    """Return parts, then the records that end their rounds, as they were written."""
    return sorted(rows, key=lambda row: b"/" not in row["key"])


def _row(kind: GroupKind, name: str, value: bytes | None) -> GroupRow:
    verdict: GroupVerdict | None = None
    if value is not None:
        try:
            verdict = codec.groups.decode(value)
        except Rejected:
            verdict = None
    return GroupRow(kind, name, verdict)
