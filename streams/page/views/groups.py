"""The page of groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from flatline.page.rendering import with_query
from flatline.readmodel.queries.groups import GroupFilter, list_groups
from flatline.readmodel.queries.paging import ROWS_MAX
from flatline.schema.group import GroupKind, GroupState, GroupVerdict

_KINDS: Final = {
    GroupKind.SERIES: "Series",
    GroupKind.STRATEGY: "Strategies",
    GroupKind.AUTHOR: "Authors",
    GroupKind.SITE: "Sites",
}
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
class GroupsView:
    """The page."""

    kinds: Sequence[Kind]


def groups_view(connection: Connection) -> GroupsView:
    """Return the page: of each kind the worst first, then the largest."""
    kinds = [Kind(name, _shown(connection, GroupFilter(kind=kind))) for kind, name in _KINDS.items()]
    return GroupsView([kind for kind in kinds if kind.groups])


def groups_under_curve(connection: Connection) -> list[ShownGroup]:
    """Return the groups that gain so few links that it is no chance."""
    return _shown(connection, GroupFilter(state=[GroupState.UNDER_CURVE]))


def _shown(connection: Connection, chosen: GroupFilter) -> list[ShownGroup]:
    found = list_groups(connection, chosen, limit=ROWS_MAX).rows
    verdicts = [each.verdict for each in found if each.verdict is not None]
    verdicts.sort(key=lambda each: (_WORST_FIRST.index(each.state), -each.articles, each.name))
    return [ShownGroup(with_query("/articles", **{each.kind.value: each.name}), each) for each in verdicts]
