"""What each role needs to be allowed to do in a cluster that forbids whatever is not allowed."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from flatline.schema.topics import Topic, Topics

# The topics that keep their name, whatever the number of partitions and the state.
_FOR_EVER: Final = (
    ".alert-marks.v1",
    ".annotations.v1",
    ".connectors.v1",
    ".generations.v1",
    ".heartbeats.v1",
    ".import-parts.v1",
    ".imports.v1",
    ".instances.v1",
    ".moves.v1",
    ".sites.v1",
    ".snoozes.v1",
)


class Role(StrEnum):
    """As what a process comes to Kafka."""

    WORKER = "worker"
    INGEST = "ingest"
    CONNECTORS = "connectors"
    CONNECT = "connect"
    READ_MODEL = "read-model"
    OPERATOR = "operator"


class Kind(StrEnum):
    """Kinds of resources; the values are the options of kafka-acls.sh."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional-id"
    CLUSTER = "cluster"


class Operation(StrEnum):
    """What is done with a resource, in the words of kafka-acls.sh.

    Reading, writing and deleting imply describing, and altering a configuration implies describing it.
    """

    READ = "Read"
    WRITE = "Write"
    CREATE = "Create"
    DELETE = "Delete"
    DESCRIBE = "Describe"
    DESCRIBE_CONFIGS = "DescribeConfigs"
    ALTER_CONFIGS = "AlterConfigs"


class Permission(NamedTuple):
    """One entry of the cluster's access control list.

    ``name`` is that of the resource, or what the names of all of them begin with if ``is_prefixed``. ``example`` is
    the name of one of them: whether it is allowed there tells whether it is allowed.
    """

    kind: Kind
    name: str
    is_prefixed: bool
    operation: Operation
    example: str

    def __str__(self) -> str:
        if self.kind is Kind.CLUSTER:
            return f"{self.operation} on the cluster"
        beginning = " that begin with" if self.is_prefixed else ""
        return f"{self.operation} on {self.kind}{'s' if self.is_prefixed else ''}{beginning} {self.name}"

    def options(self) -> list[str]:
        """Return the options of kafka-acls.sh that name it."""
        if self.kind is Kind.CLUSTER:
            return ["--operation", self.operation, "--cluster"]
        pattern = "prefixed" if self.is_prefixed else "literal"
        return ["--operation", self.operation, f"--{self.kind}", self.name, "--resource-pattern-type", pattern]


def permissions(role: Role, topics: Topics) -> list[Permission]:
    """Return all that a role needs: nothing less will do, and nothing more is needed.

    ``topics`` are the first ones of the installation. Later ones, of another number of partitions or another state,
    have names that begin with theirs; so has the topic of dead letters, whose name begins with that of the links.
    """
    inputs = (topics.links, topics.articles, topics.visits, topics.removals)
    said = (topics.moves, topics.sites, topics.alert_marks, topics.heartbeats)
    followed = (*said, topics.group_parts, topics.groups, topics.imports)
    kept = (topics.changelog, topics.generations)
    match role:
        case Role.WORKER:
            of_imports = (topics.import_parts, topics.imports)
            written = (topics.copies, topics.verdicts, topics.group_parts, topics.groups, *of_imports)
            return [
                *_on(Operation.READ, *inputs, topics.copies, *followed, topics.import_parts, *kept, topics.instances),
                *_on(Operation.WRITE, *inputs, *written, topics.changelog, topics.instances),
                # It looks whether all topics are there.
                *_on(Operation.DESCRIBE, topics.connectors, topics.snoozes, topics.annotations),
                *_on_all(topics, Operation.DESCRIBE_CONFIGS),
                *_on_brokers(topics),
                *_on_groups(topics, Operation.READ),
                _transactions(topics.changelog.name),
            ]
        case Role.INGEST:
            return [
                *_on(Operation.READ, topics.heartbeats, topics.generations, topics.instances),
                *_on(Operation.WRITE, topics.links, topics.visits, topics.heartbeats, topics.instances),
                *_on(Operation.DESCRIBE, topics.articles, topics.removals, topics.moves),
            ]
        case Role.CONNECTORS:
            return [
                *_on(Operation.READ, topics.generations),
                *_on(Operation.WRITE, *inputs, *said, topics.snoozes, topics.annotations),
            ]
        case Role.CONNECT:
            sent = (topics.links, topics.articles, topics.visits, topics.heartbeats)
            return [
                *_on(Operation.READ, topics.connectors, topics.sites, topics.generations, topics.instances),
                *_on(Operation.READ, topics.articles, topics.removals, topics.moves),  # what is registered
                *_on(Operation.WRITE, *sent, topics.connectors, topics.instances),
                Permission(Kind.GROUP, topics.connect_group, False, Operation.READ, topics.connect_group),
                _transactions(topics.connectors.name),
            ]
        case Role.READ_MODEL:
            read = (*inputs, topics.verdicts, topics.snoozes, topics.annotations)
            return [
                *_on(Operation.READ, *read, *followed, *kept, topics.instances),
                *_on(Operation.WRITE, topics.instances),  # `flatline serve` announces itself
                *_on(Operation.DESCRIBE, topics.copies),
                *_on_groups(topics, Operation.DESCRIBE),
            ]
        case Role.OPERATOR:
            everything = (Operation.READ, Operation.WRITE, Operation.CREATE, Operation.DELETE, Operation.ALTER_CONFIGS)
            return [
                *_on_all(topics, *everything),
                *_on_brokers(topics),
                # The first group is looked at and deleted; the operator commits for the later ones.
                *_on_groups(topics, Operation.READ)[1:],
                *_on_groups(topics, Operation.DELETE),
                _transactions(topics.changelog.name),
                _transactions(f"{_follow(topics)}.r"),  # the copying into another number of partitions
            ]


def on_topic(operation: Operation, topic: Topic) -> Permission:
    """Return the permission to do something with a topic, and with the later ones in its place."""
    is_prefixed = not topic.name.endswith(_FOR_EVER)
    return Permission(Kind.TOPIC, topic.name, is_prefixed, operation, topic.name)


def _on(operation: Operation, *topics: Topic) -> Iterator[Permission]:
    return (on_topic(operation, topic) for topic in topics)


def _on_all(topics: Topics, *operations: Operation) -> Iterator[Permission]:
    prefix = f"{topics.namespace}."
    return (Permission(Kind.TOPIC, prefix, True, each, topics.generations.name) for each in operations)


def _on_brokers(topics: Topics) -> Iterator[Permission]:
    # With several replicas it is asked how Kafka keeps its own topics.
    if topics.generations.replication_factor > 1:
        yield Permission(Kind.CLUSTER, "kafka-cluster", False, Operation.DESCRIBE_CONFIGS, "kafka-cluster")


def _on_groups(topics: Topics, operation: Operation) -> list[Permission]:
    """Return those for the first group, for the groups of later states, and for the one that follows former topics."""
    # A prefix without the full stop would include the groups of other namespaces.
    later = f"{topics.group}.g"
    permissions = [
        Permission(Kind.GROUP, topics.group, False, operation, topics.group),
        Permission(Kind.GROUP, later, True, operation, f"{later}2"),
    ]
    if operation is not Operation.DESCRIBE:
        permissions.append(Permission(Kind.GROUP, _follow(topics), False, operation, _follow(topics)))
    return permissions


def _follow(topics: Topics) -> str:
    # As agents.former_topics calls the group that sends on what still comes to former topics.
    return f"{topics.namespace}.follow"


def _transactions(prefix: str) -> Permission:
    return Permission(Kind.TRANSACTIONAL_ID, prefix, True, Operation.WRITE, f"{prefix}-0")


def of_kind(needed: Iterable[Permission], kind: Kind) -> list[Permission]:
    """Return those on one kind of resource."""
    return [each for each in needed if each.kind is kind]
