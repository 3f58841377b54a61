"""Which address each article has now, read from the topics of moves and of site records."""

from flatline.domain.state.moves import Moves
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.latest_sites import latest_sites
from flatline.readmodel.latest_verdicts import latest_values
from flatline.readmodel.readable import readable
from flatline.schema.topics import Topics


def latest_moves(cluster: KafkaCluster, topics: Topics) -> Moves:
    """Return the moves that workers follow; what can't be read is left out, as they do. Raises KafkaError."""
    moves = Moves(sites=latest_sites(cluster, topics))
    readable(topics.moves.name, latest_values(cluster, topics.moves), moves.receive_record)
    return moves
