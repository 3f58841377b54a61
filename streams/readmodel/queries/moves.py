"""Moves of addresses."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from flatline.domain.state.moves import Moves
from flatline.readmodel.tables import compacted
from flatline.schema.rejection import Rejected

MOVES = "moves"
"""Of `compacted`."""


def stored_moves(connection: Connection) -> Moves:
    """Return the moves that are known."""
    moves = Moves()
    statement = select(compacted.c.key, compacted.c.value).where(compacted.c.topic == MOVES)
    receive_all(moves, ((key, value) for key, value in connection.execute(statement)))
    return moves


def receive_all(moves: Moves, records: Iterable[tuple[bytes, bytes | None]]) -> None:
    """Take records by their keys and values; what can't be read is left out, as workers do."""
    for key, value in records:
        try:
            moves.receive_record(key, value)
        except Rejected:
            continue
