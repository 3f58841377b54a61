from flatline.admin.topics import TopicsError, check_topics, remedies
from flatline.doctor.check_result import CheckResult, worst
from flatline.doctor.lag import examine_group
from flatline.generations import serving_topics
from flatline.local import probes
from flatline.schema.topics import Topics
from flatline.settings import Settings


def examine_kafka(settings: Settings) -> list[CheckResult]:
    """Look at Kafka, the topics in it, and how far the workers' group has read them."""
    bootstrap = settings.kafka_bootstrap
    if not probes.is_kafka(bootstrap):
        return [CheckResult.wrong("Kafka", f"nothing answers at {bootstrap}: correct FLATLINE_KAFKA_BOOTSTRAP")]
    topics = serving_topics(settings)
    return [
        CheckResult.fine("Kafka", f"answers at {bootstrap}"),
        _examine_topics(bootstrap, topics),
        *examine_group(bootstrap, topics),
    ]


def _examine_topics(bootstrap: str, topics: Topics) -> CheckResult:
    declared = topics.all()
    try:
        wrong = remedies(check_topics(bootstrap, declared))
    except TopicsError as error:
        wrong = [error.whole]
    return worst("topics", wrong=wrong, fine=f"{len(declared)}, as declared")
