"""What somebody may see and change who is bound to sites or owners."""

from collections.abc import Callable, Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, or_

from flatline.readmodel.owners import owner_of
from flatline.readmodel.queries.moves import stored_moves, stored_sites
from flatline.readmodel.tables import articles
from flatline.readmodel.verdict_rows import site_of


class Bounds(NamedTuple):
    """Articles on any of these sites (registrable domains), or on sites of any of these owners."""

    sites: frozenset[str]
    owners: frozenset[str]


def within(bounds: Bounds | None) -> list[ColumnElement[bool]]:
    """Return the conditions on `articles`; none where nothing is out of bounds."""
    if bounds is None:
        return []
    return [or_(articles.c.site.in_(sorted(bounds.sites)), articles.c.owner.in_(sorted(bounds.owners)))]


def are_within(connection: Connection, bounds: Bounds, keys: Collection[str]) -> bool:
    """Whether all these article keys are, and the addresses where their articles are now. They need not be known."""
    return all(map(is_within(connection, bounds), keys))


def is_within(connection: Connection, bounds: Bounds) -> Callable[[str], bool]:
    """Return what tells whether an article key is, and the address where its article is now."""
    sites = stored_sites(connection)
    moves = stored_moves(connection, sites)

    def tell(key: str) -> bool:
        places = {key, moves.current(key.encode()).decode()}
        return all(site_of(each) in bounds.sites or owner_of(sites, each) in bounds.owners for each in places)

    return tell
