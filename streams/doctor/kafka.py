from flatline.admin.topics import TopicsError, check_topics, remedies
from flatline.doctor.check_result import CheckResult, worst
from flatline.doctor.lag import examine_group
from flatline.generations import serving_topics
from flatline.kafka.access import AccessError
from flatline.kafka.cluster import KafkaCluster
from flatline.kafka.permissions import Role
from flatline.kafka.permitted import NotPermittedError
from flatline.local import probes
from flatline.schema.topics import Topics
from flatline.settings import Settings


def examine_kafka(settings: Settings) -> list[CheckResult]:
    """Check Kafka, its topics, and how far the workers' group has read them."""
    cluster = settings.cluster
    try:
        cluster.refuse_no_access()
    except AccessError as error:
        return [CheckResult.wrong("Kafka", error.whole)]
    if not probes.is_kafka(cluster):
        return [CheckResult.wrong("Kafka", f"nothing answers at {cluster}: correct FLATLINE_KAFKA_BOOTSTRAP")]
    try:
        topics = serving_topics(settings, Role.OPERATOR)
    except NotPermittedError as error:
        return [CheckResult.wrong("Kafka", error.whole)]
    return [
        CheckResult.fine("Kafka", f"answers at {cluster}"),
        _examine_topics(cluster, topics),
        *examine_group(cluster, topics),
    ]


def _examine_topics(cluster: KafkaCluster, topics: Topics) -> CheckResult:
    declared = topics.all()
    try:
        wrong = remedies(check_topics(cluster, declared))
    except TopicsError as error:
        wrong = [error.whole]
    return worst("topics", wrong=wrong, fine=f"{len(declared)}, as declared")
