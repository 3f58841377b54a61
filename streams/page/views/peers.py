"""The page of our series beside those of peers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from flatline.domain.groups.cohorts import AGES_DAYS
from flatline.page.drawings import AgeCurves, links_by_age
from flatline.readmodel.queries.peers import SeriesRow, compare_with_peers

_DRAWN_OF_EACH: Final = 3


@dataclass(frozen=True)
class PeersView:
    """The page. ``drawn``: the largest of ours and of peers; None where none is old enough."""

    rows: Sequence[SeriesRow]
    drawn: AgeCurves | None
    ages_days: Sequence[int] = AGES_DAYS
    csv_path: str = "/api/v1/peers?format=csv"


def peers_view(connection: Connection, *, now_ms: int) -> PeersView:
    """Return the page, as of ``now_ms``."""
    rows = compare_with_peers(connection, now_ms=now_ms)
    known = [row for row in rows if any(age.links_per_article is not None for age in row.ages)]
    own, peers = ([row for row in known if row.role == role][:_DRAWN_OF_EACH] for role in ("own", "peer"))
    named = [(_name(row), [age.links_per_article for age in row.ages]) for row in (*own, *peers)]
    return PeersView(rows, links_by_age(named) if named else None)


def _name(row: SeriesRow) -> str:
    name = row.site if row.series is None else f"{row.site}, {row.series}"
    return f"{'Peer' if row.role == 'peer' else 'Ours'}: {name}"
