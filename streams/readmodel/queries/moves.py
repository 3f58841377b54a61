"""Moves of addresses."""

from sqlalchemy import Connection, select

from flatline.domain.state.moves import Moves
from flatline.readmodel.tables import compacted
from flatline.schema.rejection import Rejected

MOVES = "moves"
"""Of `compacted`."""


def stored_moves(connection: Connection) -> Moves:
    """Return the moves that are known; what can't be read is left out, as workers do."""
    moves = Moves()
    statement = select(compacted.c.key, compacted.c.value).where(compacted.c.topic == MOVES)
    for key, value in connection.execute(statement):
        try:
            moves.receive_record(key, value)
        except Rejected:
            continue
    return moves
