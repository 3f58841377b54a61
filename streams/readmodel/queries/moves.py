"""Moves of addresses, and the site records that they depend on."""

from collections.abc import Callable, Iterable, Iterator

from sqlalchemy import Connection, select

from flatline.domain.sites import Sites
from flatline.domain.state.moves import Moves
from flatline.readmodel.tables import compacted
from flatline.schema.rejection import Rejected

MOVES = "moves"
SITES = "sites"
"""Of `compacted`."""


def stored_moves(connection: Connection, sites: Sites | None = None) -> Moves:
    """Return the moves that are known, with what ``sites`` ignore."""
    moves = Moves(sites=sites)
    receive_all(moves.receive_record, stored_records(connection, MOVES))
    return moves


def stored_sites(connection: Connection) -> Sites:
    """Return the site records that are known."""
    sites = Sites()
    receive_all(sites.receive_record, stored_records(connection, SITES))
    return sites


def stored_records(connection: Connection, topic: str) -> Iterator[tuple[bytes, bytes | None]]:
    """Yield what is kept of a compacted topic, keys and values, in the order in which it was recorded."""
    statement = (
        select(compacted.c.key, compacted.c.value).where(compacted.c.topic == topic).order_by(compacted.c.recorded_ms)
    )
    return ((key, value) for key, value in connection.execute(statement))


def receive_all(receive: Callable[[bytes, bytes | None], None], records: Iterable[tuple[bytes, bytes | None]]) -> None:
    """Take records by their keys and values; what can't be read is left out, as workers do."""
    for key, value in records:
        try:
            receive(key, value)
        except Rejected:
            continue
