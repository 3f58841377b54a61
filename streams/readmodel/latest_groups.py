"""Groups as the topics have them: the newest verdicts, and what all partitions surveyed."""

from flatline.domain.groups.totals import GroupTotals
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.latest_verdicts import latest_values
from flatline.readmodel.readable import readable
from flatline.schema import codec
from flatline.schema.group import GroupVerdict
from flatline.schema.topics import Topics


def latest_groups(cluster: KafkaCluster, topics: Topics) -> list[GroupVerdict]:
    """Return the newest verdict on each group; unreadable records are skipped. Raises KafkaError."""
    values = latest_values(cluster, topics.groups)
    return readable(topics.groups.name, values, lambda _, value: codec.groups.decode(value))


def latest_group_totals(cluster: KafkaCluster, topics: Topics) -> GroupTotals:
    """Return the newest round of each partition; unreadable records are skipped. Raises KafkaError."""
    group_totals = GroupTotals(topics.links.partitions)
    readable(topics.group_parts.name, latest_values(cluster, topics.group_parts), group_totals.receive_record)
    return group_totals
