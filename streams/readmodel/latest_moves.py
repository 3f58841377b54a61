"""Which address each article has now, read from the topic of moves."""

from flatline.domain.state.moves import Moves
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.latest_verdicts import latest_values
from flatline.schema.rejection import Rejected
from flatline.schema.topics import Topics


def latest_moves(cluster: KafkaCluster, topics: Topics) -> Moves:
    """Return the moves that workers follow; what can't be read is left out, as they do. Raises KafkaError."""
    moves = Moves()
    for key, value in latest_values(cluster, topics.moves).items():
        try:
            moves.receive_record(key, value)
        except Rejected:
            continue
    return moves
