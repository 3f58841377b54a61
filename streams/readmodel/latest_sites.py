"""The site records that hold, read from their topic."""

from flatline.domain.sites import Sites
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.latest_verdicts import latest_values
from flatline.readmodel.readable import readable
from flatline.schema.topics import Topics


def latest_sites(cluster: KafkaCluster, topics: Topics) -> Sites:
    """Return the records that workers go by; what can't be read is left out, as they do. Raises KafkaError."""
    sites = Sites()
    readable(topics.sites.name, latest_values(cluster, topics.sites), sites.receive_record)
    return sites
