"""The page of groups and cohorts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

from sqlalchemy import Connection

from flatline.domain.groups.cohorts import AGES_DAYS
from flatline.domain.learned.curve import QUOTED_DAYS
from flatline.page.drawings import AgeCurves, cohort_curves
from flatline.page.rendering import with_query
from flatline.readmodel.queries.groups import GroupFilter, list_cohorts, list_groups
from flatline.readmodel.queries.paging import ROWS_MAX
from flatline.readmodel.queries.publications import Grouping, Publication, publications_of
from flatline.readmodel.queries.views import CohortRow
from flatline.schema.group import GroupKind, GroupState, GroupVerdict

_KINDS: Final = {
    GroupKind.SERIES: "Series",
    GroupKind.STRATEGY: "Strategies",
    GroupKind.AUTHOR: "Authors",
    GroupKind.SITE: "Sites",
}
_COHORTS: Final = {
    GroupKind.STRATEGY: "Strategies",
    GroupKind.SITE: "Sites",
    GroupKind.MONTH: "Months of publication",
}
_COHORTS_LISTED: Final = 24
_COHORTS_DRAWN: Final = 6
_PUBLICATIONS_LISTED: Final = 50
_WORST_FIRST: Final = (GroupState.UNDER_CURVE, GroupState.ABOVE_CURVE, GroupState.ON_CURVE, GroupState.NEW)


@dataclass(frozen=True)
class ShownGroup:
    """A group as the table shows it. ``path``: of its articles."""

    path: str
    verdict: GroupVerdict


@dataclass(frozen=True)
class Kind:
    """The groups of one kind."""

    name: str
    groups: Sequence[ShownGroup]


@dataclass(frozen=True)
class CohortsView:
    """Cohorts of a kind side by side, the quoted curve first; ``drawn``: those that have room in the drawing."""

    kind: str
    rows: Sequence[CohortRow]
    drawn: AgeCurves | None
    more: int
    kinds: Mapping[str, str]
    api_path: str
    ages_days: Sequence[int] = AGES_DAYS
    quoted_days: int = QUOTED_DAYS


@dataclass(frozen=True)
class AuthorityView:
    """The publications of the group that is ``chosen`` (kind, slash and ``name``); ``rows``: None where none is."""

    chosen: str
    name: str
    rows: Sequence[Publication] | None
    more: int
    api_path: str


@dataclass(frozen=True)
class GroupsView:
    """The page."""

    kinds: Sequence[Kind]
    cohorts: CohortsView
    authority: AuthorityView


def groups_view(connection: Connection, query: Mapping[str, str], *, partitions: int) -> GroupsView:
    """Return the page: of each kind the worst first, then the largest."""
    kinds = [Kind(name, _shown(connection, GroupFilter(kind=kind))) for kind, name in _KINDS.items()]
    return GroupsView(
        [kind for kind in kinds if kind.groups],
        _cohorts_view(connection, query.get("cohorts", ""), partitions),
        _authority_view(connection, query.get("authority", "")),
    )


def _authority_view(connection: Connection, asked: str) -> AuthorityView:
    asked_kind, _, name = asked.partition("/")
    kind: Grouping | None = next((each for each in get_args(Grouping) if each == asked_kind), None)
    if kind is None or not name:
        return AuthorityView("", "", None, 0, "")
    rows = publications_of(connection, kind, name)
    more = max(0, len(rows) - _PUBLICATIONS_LISTED)
    path = with_query("/api/v1/publications", kind=kind, name=name)
    return AuthorityView(asked, name, rows[:_PUBLICATIONS_LISTED], more, path)


def _cohorts_view(connection: Connection, asked: str, partitions: int) -> CohortsView:
    kind = next((each for each in _COHORTS if each.value == asked), GroupKind.STRATEGY)
    quoted, of_all, *rest = list_cohorts(connection, kind, partitions=partitions)
    # The newest months tell most, and the largest of all others.
    rest.sort(key=(lambda row: row.name) if kind is GroupKind.MONTH else (lambda row: row.articles), reverse=True)
    rows = [quoted, of_all, *rest[:_COHORTS_LISTED]]
    drawn = [row for row in rows[1:] if any(each.share is not None for each in row.shares)][:_COHORTS_DRAWN]
    return CohortsView(
        kind=kind.value,
        rows=rows,
        drawn=cohort_curves(drawn) if rest and drawn else None,
        more=max(0, len(rest) - _COHORTS_LISTED),
        kinds={each.value: words for each, words in _COHORTS.items()},
        api_path=with_query("/api/v1/cohorts", kind=kind.value),
    )


def groups_under_curve(connection: Connection) -> list[ShownGroup]:
    """Return the groups that gain so few links that it is no chance."""
    return _shown(connection, GroupFilter(state=[GroupState.UNDER_CURVE]))


def _shown(connection: Connection, chosen: GroupFilter) -> list[ShownGroup]:
    found = list_groups(connection, chosen, limit=ROWS_MAX).rows
    verdicts = [each.verdict for each in found if each.verdict is not None]
    verdicts.sort(key=lambda each: (_WORST_FIRST.index(each.state), -each.articles, each.name))
    return [ShownGroup(with_query("/articles", **{each.kind.value: each.name}), each) for each in verdicts]
