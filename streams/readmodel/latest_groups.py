"""Groups as the topics have them: the newest verdicts, and what all partitions surveyed."""

from flatline.domain.groups.totals import GroupTotals
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.latest_verdicts import latest_values
from flatline.schema import codec
from flatline.schema.group import GroupVerdict
from flatline.schema.topics import Topics


def latest_groups(cluster: KafkaCluster, topics: Topics) -> list[GroupVerdict]:
    """Return the newest verdict on each group. Raises KafkaError."""
    return [codec.groups.decode(value) for value in latest_values(cluster, topics.groups).values()]


def latest_group_totals(cluster: KafkaCluster, topics: Topics) -> GroupTotals:
    """Return the newest round of each partition. Raises KafkaError."""
    group_totals = GroupTotals(topics.links.partitions)
    for key, value in latest_values(cluster, topics.group_parts).items():
        group_totals.receive_record(key, value)
    return group_totals
