"""The imports that were recognised, read from their topic."""

from flatline.domain.imports.imports import Imports
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.latest_verdicts import latest_values
from flatline.readmodel.readable import readable
from flatline.schema.topics import Topics


def latest_imports(cluster: KafkaCluster, topics: Topics) -> Imports:
    """Return the imports that workers know; what can't be read is left out, as they do. Raises KafkaError."""
    imports = Imports()
    readable(topics.imports.name, latest_values(cluster, topics.imports), imports.receive_record)
    return imports
