from collections.abc import Mapping, Sequence
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, NoError, TopicAlreadyExistsError

from streams.schema.topics import Topic

_TIMEOUT_MS = 15_000
CHECK_REMEDY = (
    "Are FLATLINE_NAMESPACE and FLATLINE_PARTITIONS those of the workers? Then `flatline topics` creates what is "
    "missing; settings are changed with kafka-configs.sh."
)
"""What to do about what `check_topics` returns."""
_REMEDY = (
    "A topic's partitions are fixed for life: set FLATLINE_PARTITIONS to what the topics have, or start anew with "
    "another FLATLINE_NAMESPACE. Other settings are changed with kafka-configs.sh."
)


class TopicsError(Exception):
    """The cluster's topics are not as declared and can't be made so. The message says why and what to do."""


def ensure_topics(bootstrap: str, topics: Sequence[Topic], *, replication_factor: int) -> list[str]:
    """Create those topics that are missing, check those that exist, and return the names of the new ones.

    Returns when each new one has a leader for every partition. Raises TopicsError.
    """
    try:
        with _admin(bootstrap) as admin:
            existing = set(admin.list_topics())
            _refuse(_differences(admin, [topic for topic in topics if topic.name in existing]))
            new = [topic for topic in topics if topic.name not in existing]
            if new:
                _create(admin, new, replication_factor=replication_factor)
            return [topic.name for topic in new]
    except KafkaError as error:
        raise TopicsError(f"Kafka at {bootstrap} did not do as asked: {error}") from error


def check_topics(bootstrap: str, topics: Sequence[Topic]) -> list[str]:
    """Return a sentence for each topic that is missing or not as declared. Raises TopicsError without a Kafka."""
    try:
        with _admin(bootstrap) as admin:
            existing = set(admin.list_topics())
            missing = [f"{topic.name} does not exist." for topic in topics if topic.name not in existing]
            return missing + _differences(admin, [topic for topic in topics if topic.name in existing])
    except KafkaError as error:
        raise TopicsError(f"Kafka at {bootstrap} does not answer: {error}") from error


def _admin(bootstrap: str) -> KafkaAdminClient:
    return KafkaAdminClient(bootstrap_servers=bootstrap.split(","), bootstrap_timeout_ms=_TIMEOUT_MS)


def _create(admin: KafkaAdminClient, topics: list[Topic], *, replication_factor: int) -> None:
    requested = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": replication_factor,
            "configs": dict(topic.config()),
        }
        for topic in topics
    }
    answers = admin.create_topics(requested, timeout_ms=_TIMEOUT_MS, raise_errors=False)["topics"]
    # Somebody else may have been faster: what counts is that the topic is as declared.
    refused = [
        f"Kafka did not create {answer['name']}: {answer['error_message']}"
        for answer in answers
        if answer["error_code"] not in (NoError.errno, TopicAlreadyExistsError.errno)
    ]
    if refused:
        raise TopicsError("\n".join(refused))
    admin.wait_for_topics(list(requested))
    _refuse(_differences(admin, topics))


def _refuse(differences: list[str]) -> None:
    if differences:
        raise TopicsError("\n".join([*differences, _REMEDY]))


def _differences(admin: KafkaAdminClient, topics: list[Topic]) -> list[str]:
    if not topics:
        return []
    names = [topic.name for topic in topics]
    partitions = {found["name"]: len(found["partitions"]) for found in admin.describe_topics(names)}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    configs = admin.describe_configs(resources, config_filter="all")["topic"]
    return [
        difference
        for topic in topics
        for difference in _differences_of(topic, partitions=partitions[topic.name], config=configs[topic.name])
    ]


def _differences_of(topic: Topic, *, partitions: int, config: Mapping[str, Any]) -> list[str]:
    differences = []
    if partitions != topic.partitions:
        differences.append(f"{topic.name} has {partitions} partitions; it should have {topic.partitions}.")
    for name in ("cleanup.policy", "max.message.bytes"):
        value, declared = config[name]["value"], topic.config()[name]
        if value != declared:
            differences.append(f"{topic.name} has {name}={value}; it should be {declared}.")
    return differences
