"""Whether a cluster allows what a role needs: asked before anything else is done.

Later a refusal would come in the middle of something, or not at all: a topic that we may not see looks as if it did not
exist.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from time import monotonic, sleep
from typing import Any, Final, TypeVar

from kafka.admin import ACLOperation, ConfigResource, ConfigResourceType
from kafka.errors import (
    BrokerResponseError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    RetriableError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from kafka.protocol.admin import DescribeGroupsRequest

from flatline.kafka.access import AccessError
from flatline.kafka.cluster import AdminClient, KafkaCluster
from flatline.kafka.permissions import Kind, Operation, Permission, Role, of_kind, on_topic, permissions
from flatline.schema.topics import Topic, Topics

T = TypeVar("T")

_CONNECT_TIMEOUT_MS: Final = 10_000
# A cluster that is new first makes the topics that its coordinators need.
_COORDINATOR_S: Final = 30.0
_AGAIN_S: Final = 0.2
# From the next version on, nothing is said of a group that does not exist yet.
_GROUPS_VERSION: Final = 5


class NotPermittedError(AccessError):
    """The cluster does not allow something that is needed. The message names each permission that is missing."""


def refuse_not_permitted(cluster: KafkaCluster, topics: Topics, *roles: Role) -> None:
    """Raise NotPermittedError where the cluster forbids something that these roles need, and KafkaError.

    Asks only clusters that are secured: others don't know who we are.
    """
    if cluster.security.protocol == "PLAINTEXT" or not roles:
        return
    needed = list(dict.fromkeys(each for role in roles for each in permissions(role, topics)))
    with cluster.admin(bootstrap_timeout_ms=_CONNECT_TIMEOUT_MS) as admin:
        missing = not_permitted(admin, needed)
    if missing:
        named = "".join(f"\n  {each}" for each in missing)
        raise NotPermittedError(
            f"Kafka at {cluster} does not allow {_whom(cluster)}, as {' and '.join(roles)}:{named}",
            remedy=f"`flatline topics acls {' '.join(roles)}` prints the commands that allow all that is needed.",
        )


def not_permitted(admin: AdminClient, needed: Sequence[Permission]) -> list[Permission]:
    """Return those that whoever asks does not have. Raises KafkaError."""
    return [
        *_topics(admin, needed),
        *_groups(admin, needed),
        *_transactions(admin, needed),
        *_cluster(admin, needed),
    ]


def is_there(cluster: KafkaCluster, topic: Topic) -> bool:
    """Whether a topic exists. Raises NotPermittedError where the cluster does not let us know, and KafkaError."""
    with cluster.admin(bootstrap_timeout_ms=_CONNECT_TIMEOUT_MS) as admin:
        [described] = admin.describe_topics([topic.name])
    if described["error_code"] == TopicAuthorizationFailedError.errno:
        raise NotPermittedError(
            f"Kafka at {cluster} does not allow {_whom(cluster)}:\n  {on_topic(Operation.READ, topic)}",
            remedy="`flatline topics acls ROLE` prints the commands that allow all that a role needs.",
        )
    return bool(described["error_code"] != UnknownTopicOrPartitionError.errno)


def _whom(cluster: KafkaCluster) -> str:
    return cluster.security.username or "us"


def _topics(admin: AdminClient, needed: Iterable[Permission]) -> Iterator[Permission]:
    needed = of_kind(needed, Kind.TOPIC)
    described = admin.describe_topics(list({each.example for each in needed}))
    seen = {topic["name"]: topic for topic in described if topic["error_code"] != TopicAuthorizationFailedError.errno}
    for each in needed:
        # Whatever else is allowed is said of topics only that may be described.
        others = (topic for name, topic in seen.items() if each.is_prefixed and name.startswith(each.name))
        topic = seen.get(each.example) or next(others, None)
        if topic is None or _is_forbidden(topic, each):
            yield each


def _groups(admin: AdminClient, needed: Iterable[Permission]) -> Iterator[Permission]:
    for each in of_kind(needed, Kind.GROUP):
        try:
            group = asked(lambda name=each.example: _group(admin, name))  # type: ignore[misc]
        except GroupAuthorizationFailedError:
            yield each
        else:
            if _is_forbidden(group, each):
                yield each


def _group(admin: AdminClient, name: str) -> dict[str, Any]:
    async def ask() -> Any:
        coordinator = await admin._find_coordinator_id(name)  # noqa: SLF001 - see _GROUPS_VERSION
        request = DescribeGroupsRequest(groups=[name], include_authorized_operations=True, max_version=_GROUPS_VERSION)
        return await admin._manager.send(request, node_id=coordinator)  # noqa: SLF001

    [group] = admin._manager.run(ask).groups  # noqa: SLF001
    if group.error_code:
        raise for_code(group.error_code)
    bits = group.authorized_operations or ()
    return {"authorized_operations": [each.name for each in ACLOperation if each.value in bits]}


def _transactions(admin: AdminClient, needed: Iterable[Permission]) -> Iterator[Permission]:
    for each in of_kind(needed, Kind.TRANSACTIONAL_ID):
        try:
            asked(lambda name=each.example: admin.describe_transactions([name]))  # type: ignore[misc]
        except TransactionalIdAuthorizationFailedError:
            yield each
        except BrokerResponseError:
            continue  # nobody used it yet


def _cluster(admin: AdminClient, needed: Iterable[Permission]) -> Sequence[Permission]:
    needed = of_kind(needed, Kind.CLUSTER)
    if not needed:
        return []
    # What is allowed is said only to those who may describe the cluster, which nobody needs.
    broker = admin.describe_cluster()["brokers"][0]
    resource = ConfigResource(ConfigResourceType.BROKER, str(broker["broker_id"]))
    try:
        configs = admin.describe_configs([resource], config_filter="all")["broker"]
    except ClusterAuthorizationFailedError:
        return needed
    # The client keeps the refusal to itself.
    return [] if any(configs.values()) else needed


def _is_forbidden(described: Mapping[str, Any], permission: Permission) -> bool:
    """Whether a resource is described without the operation. Some clusters don't tell what they allow."""
    allowed: Sequence[str] = described.get("authorized_operations") or ()
    return bool(allowed) and permission.operation.name not in allowed


def asked(ask: Callable[[], T]) -> T:
    """Return what ``ask`` returns, waiting for coordinators that a new cluster has yet to make. Raises KafkaError."""
    give_up_at_s = monotonic() + _COORDINATOR_S
    while True:
        try:
            return ask()
        except RetriableError:
            if monotonic() >= give_up_at_s:
                raise
            sleep(_AGAIN_S)
