"""Which address each article has now, read from the topic of moves."""

from flatline.domain.state.moves import Moves
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.latest_verdicts import latest_values
from flatline.readmodel.readable import readable
from flatline.schema.topics import Topics


def latest_moves(cluster: KafkaCluster, topics: Topics) -> Moves:
    """Return the moves that workers follow; what can't be read is left out, as they do. Raises KafkaError."""
    moves = Moves()
    readable(topics.moves.name, latest_values(cluster, topics.moves), moves.receive_record)
    return moves
