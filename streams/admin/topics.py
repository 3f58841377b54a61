from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, NoError, TopicAlreadyExistsError, for_code
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from flatline.errors import FlatlineError
from flatline.kafka.access import AccessError
from flatline.kafka.cluster import AdminClient, KafkaCluster
from flatline.schema.topics import Topic

T = TypeVar("T")
V = TypeVar("V")
Config = Mapping[str, Mapping[str, Any]]

_TIMEOUT_MS = 15_000
# Where one of these differs, records would be lost or end a worker: nothing may write. Others make it less safe.
_VITAL: Final = ("cleanup.policy", "max.message.bytes")
# Where Kafka keeps committed offsets and the state of transactions: the topic, and what brokers create it with.
_INTERNAL: Final = {
    "__consumer_offsets": ("offsets.topic.replication.factor", None),
    "__transaction_state": ("transaction.state.log.replication.factor", "transaction.state.log.min.isr"),
}


class TopicsError(FlatlineError):
    """The cluster's topics are not as declared and can't be made so. The message says why."""

    remedy = "`flatline topics check` says how the topics differ from what they should be."


class Difference(NamedTuple):
    """A property of a topic that is not as declared.

    ``says``      what it is, and what it should be
    ``remedy``    what to do about it
    ``is_vital``  whether it must be fixed before anything is written
    """

    says: str
    remedy: str
    is_vital: bool = False


def ensure_topics(cluster: KafkaCluster, topics: Sequence[Topic]) -> list[str]:
    """Create those topics that are missing, check those that exist, and return the names of the new ones.

    Returns when each new one has a leader for every partition. Raises TopicsError where a difference is vital.
    """

    def ensure(admin: AdminClient) -> list[str]:
        existing = set(admin.list_topics())
        _refuse(_differences(admin, [topic for topic in topics if topic.name in existing]))
        new = [topic for topic in topics if topic.name not in existing]
        if new:
            _create(admin, new)
        return [topic.name for topic in new]

    return _with_admin(cluster, ensure)


def check_topics(cluster: KafkaCluster, topics: Sequence[Topic]) -> list[Difference]:
    """Return what is missing or not as declared, Kafka's own topics included. Raises TopicsError without a Kafka."""

    def check(admin: AdminClient) -> list[Difference]:
        existing = set(admin.list_topics())
        missing = [
            Difference(f"{topic.name} does not exist.", "`flatline topics create` creates what is missing.")
            for topic in topics
            if topic.name not in existing
        ]
        found = _differences(admin, [topic for topic in topics if topic.name in existing])
        copies = max((topic.replication_factor for topic in topics), default=1)
        return [*missing, *found, *_internal_differences(admin, existing, replication_factor=copies)]

    return _with_admin(cluster, check)


def alter_topics(cluster: KafkaCluster, topics: Sequence[Topic]) -> list[str]:
    """Give the topics that exist the settings that are declared; return the names of those that were changed.

    Partitions and replicas stay as they are. Raises TopicsError.
    """

    def alter(admin: AdminClient) -> list[str]:
        existing = set(admin.list_topics())
        known = [topic for topic in topics if topic.name in existing]
        configs = _configs(admin, [topic.name for topic in known])
        changed = {topic.name: dict(_other_settings(topic, configs[topic.name])) for topic in known}
        resources = [
            ConfigResource(ConfigResourceType.TOPIC, name, configs={setting: declared for setting, (_, declared) in by})
            for name, settings in changed.items()
            if (by := settings.items())
        ]
        if resources:
            admin.alter_configs(resources)
        return [resource.name for resource in resources]

    return _with_admin(cluster, alter)


def message_bytes_max(cluster: KafkaCluster, topics: Sequence[Topic]) -> dict[str, int]:
    """Return how large a batch each of these topics takes, by name. They exist. Raises TopicsError."""

    def ask(admin: AdminClient) -> dict[str, int]:
        configs = _configs(admin, [topic.name for topic in topics])
        return {name: int(config["max.message.bytes"]["value"]) for name, config in configs.items()}

    return _with_admin(cluster, ask)


def remedies(differences: Iterable[Difference]) -> list[str]:
    """Return a line for each difference, then what to do about all of them."""
    differences = list(differences)
    return [*(each.says for each in differences), *dict.fromkeys(each.remedy for each in differences)]


def _with_admin(cluster: KafkaCluster, ask: Callable[[AdminClient], T]) -> T:
    try:
        with cluster.admin(bootstrap_timeout_ms=_TIMEOUT_MS) as admin:
            return ask(admin)
    except AccessError:
        raise
    except KafkaError as error:
        raise TopicsError(f"Kafka at {cluster} did not do as asked: {error}") from error


def _create(admin: AdminClient, topics: list[Topic]) -> None:
    requested = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": topic.replication_factor,
            "configs": dict(topic.config()),
        }
        for topic in topics
    }
    answers = admin.create_topics(requested, timeout_ms=_TIMEOUT_MS, raise_errors=False)["topics"]
    # Somebody else may have been faster: what counts is that the topic is as declared.
    refused = [
        f"Kafka did not create {answer['name']}: {answer['error_message'] or for_code(answer['error_code']).__name__}"
        for answer in answers
        if answer["error_code"] not in (NoError.errno, TopicAlreadyExistsError.errno)
    ]
    if refused:
        raise TopicsError("\n".join(refused))
    admin.wait_for_topics(list(requested))
    _refuse(_differences(admin, topics))


def _refuse(differences: Iterable[Difference]) -> None:
    vital = [each for each in differences if each.is_vital]
    if vital:
        raise TopicsError("\n".join(remedies(vital)))


def _differences(admin: AdminClient, topics: Sequence[Topic]) -> list[Difference]:
    if not topics:
        return []
    names = [topic.name for topic in topics]
    partitions = _partitions(admin, names)
    configs = _configs(admin, names)
    return [
        difference
        for topic in topics
        for difference in _differences_of(topic, partitions=partitions[topic.name], config=configs[topic.name])
    ]


def _differences_of(topic: Topic, *, partitions: Sequence[Mapping[str, Any]], config: Config) -> Iterator[Difference]:
    if len(partitions) != topic.partitions:
        yield Difference(
            f"{topic.name} has {len(partitions)} partitions; it should have {topic.partitions}.",
            "Partitions are not added to a topic: set FLATLINE_PARTITIONS to what the topics have; "
            "`flatline topics repartition` leads to another number.",
            is_vital=True,
        )
    copies = _fewest_replicas(partitions)
    if copies < topic.replication_factor:
        yield Difference(
            f"{topic.name} has {copies} replicas; it should have {topic.replication_factor}.",
            "Replicas are added with kafka-reassign-partitions.sh, for which FLATLINE_REPLICATION_FACTOR brokers are "
            "needed.",
        )
    for setting, (value, declared) in _other_settings(topic, config):
        yield Difference(
            f"{topic.name} has {setting}={value}; it should be {declared}.",
            "`flatline topics alter` gives the topics the settings that they should have.",
            # Of a log, the longest records may be refused: those of compacted topics can't be done without.
            is_vital=setting in _VITAL and (setting == "cleanup.policy" or topic.cleanup_policy == "compact"),
        )


def _other_settings(topic: Topic, config: Config) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the settings that are not as declared: what the topic has, and what it should have."""
    for setting, declared in topic.config().items():
        value = config[setting]["value"] if setting in config else "nothing"
        if value != declared:
            yield setting, (value, declared)


def _internal_differences(admin: AdminClient, existing: set[str], *, replication_factor: int) -> Iterator[Difference]:
    """Yield what of Kafka's own topics would be lost with one broker, where ours would not.

    Brokers create them when they are first needed; until then what counts is what they will be created with.
    """
    if replication_factor == 1:
        return
    remedy = (
        "Committed offsets and transactions are as safe as these topics: set the brokers' "
        "offsets.topic.replication.factor and transaction.state.log.replication.factor to 3 and "
        "transaction.state.log.min.isr to 2 before they are created; to topics that exist add replicas with "
        "kafka-reassign-partitions.sh, and set min.insync.replicas with kafka-configs.sh."
    )
    broker = admin.describe_cluster()["brokers"][0]
    resource = ConfigResource(ConfigResourceType.BROKER, str(broker["broker_id"]))
    of_broker = next(iter(admin.describe_configs([resource], config_filter="all")["broker"].values()))
    for name, (factor_setting, in_sync_setting) in _INTERNAL.items():
        if name in existing:
            copies = _fewest_replicas(_partitions(admin, [name])[name])
            in_sync = int(_configs(admin, [name])[name]["min.insync.replicas"]["value"])
        else:
            copies = int(of_broker[factor_setting]["value"])
            in_sync = int(of_broker[in_sync_setting or "min.insync.replicas"]["value"])
        if copies < replication_factor:
            yield Difference(f"{name} has {copies} replicas; it should have {replication_factor}.", remedy)
        if in_sync_setting and in_sync < (needed := min(2, replication_factor)):
            yield Difference(f"{name} has min.insync.replicas={in_sync}; it should be {needed}.", remedy)


def _fewest_replicas(partitions: Sequence[Mapping[str, Any]]) -> int:
    return min((len(partition["replica_nodes"]) for partition in partitions), default=0)


def _partitions(admin: AdminClient, names: Sequence[str]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    return _of_all(names, lambda: {found["name"]: found["partitions"] for found in admin.describe_topics(list(names))})


def _configs(admin: AdminClient, names: Sequence[str]) -> Mapping[str, Config]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    return _of_all(names, lambda: dict(admin.describe_configs(resources, config_filter="all")["topic"]))


def _of_all(names: Sequence[str], ask: Callable[[], Mapping[str, V]]) -> Mapping[str, V]:
    """Ask until something is said of each of these topics. They exist; a broker learns of a new one moments later."""
    asking = Retrying(
        retry=retry_if_result(lambda found: not all(found.get(name) for name in names)),
        stop=stop_after_delay(_TIMEOUT_MS / 1_000),
        wait=wait_fixed(0.1),
        retry_error_callback=lambda state: state.outcome and state.outcome.result(),
    )
    return asking(ask)
