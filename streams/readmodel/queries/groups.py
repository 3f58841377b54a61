"""Groups of articles, and what is learned of them."""

from collections.abc import Iterable
from typing import Annotated, Any, Final

from msgspec import Meta, Struct
from sqlalchemy import Connection, select

from flatline.domain.groups.cohorts import QUOTED, Cohort, Cohorts
from flatline.domain.groups.survey import Membership
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.learned.expectation import Baseline
from flatline.readmodel.projection import GROUP_PARTS
from flatline.readmodel.queries.paging import page_of
from flatline.readmodel.queries.rows import instant
from flatline.readmodel.queries.views import AgeShare, CohortRow, GroupChange, GroupDetail, GroupRow, Page
from flatline.readmodel.tables import compacted, digest, group_history, groups
from flatline.schema import codec
from flatline.schema.group import GroupKind, GroupState, GroupVerdict
from flatline.schema.rejection import Rejected

HISTORY_MAX = 500
_PARTS: Final = select(compacted).where(compacted.c.topic == GROUP_PARTS).order_by(compacted.c.recorded_ms)


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
    # There are up to 2,000 groups a partition: those that the article is in, and what ends the rounds, are read.
    about = [b"", *(f"{group.kind}/{group.name}".encode() for group in membership.groups)]
    statement = _PARTS.where(compacted.c.about.in_([digest(each) for each in about]))
    return _totals(connection.execute(statement).mappings(), partitions=partitions).baseline_of(membership)


def list_cohorts(connection: Connection, kind: GroupKind, *, partitions: int) -> list[CohortRow]:
    """Return the quoted curve, that of all articles, and those of the cohorts of a kind, by name."""
    # The curve of all articles is added up from the sites. What ends a round is about no group.
    needed = {b"", kind.encode(), GroupKind.SITE.encode()}
    rows = connection.execute(_PARTS).mappings()
    totals = _totals((row for row in rows if _kind_in(row["key"]) in needed), partitions=partitions)
    cohorts = Cohorts(totals)
    return [_cohort_row(each) for each in (QUOTED, cohorts.all, *cohorts.of_kinds([kind]))]


def _cohort_row(cohort: Cohort) -> CohortRow:
    shares = [AgeShare(age_days, share) for age_days, share in cohort.share_by_days.items()]
    return CohortRow(cohort.kind, cohort.name, cohort.articles, cohort.links, shares)


def _kind_in(key: bytes) -> bytes:
    return key.partition(b"/")[2].partition(b"/")[0]


def _totals(rows: Iterable[Any], *, partitions: int) -> GroupTotals:
    totals = GroupTotals(partitions)
    for row in _with_rounds_last(rows):
        try:
            totals.receive_record(row["key"], row["value"], row["recorded_ms"])
        except Rejected:
            continue
    return totals


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
