"""Writes what the chart knows of Flatline: topics and permissions for Strimzi, and settings in the values' schema.

Run it with `make chart`; a test says when it has to be run.
"""

import json
from pathlib import Path
from typing import Any, Final

import yaml

from flatline.kafka.permissions import Kind, Role, permissions
from flatline.schema.topics import Topics
from flatline.settings import Settings, variable_of

CHART: Final = Path(__file__).parent / "flatline"
KAFKA_FILE: Final = CHART / "files" / "kafka.yaml"
SCHEMA_FILE: Final = CHART / "values.schema.json"
# The template puts the installation's own in its place.
NAMESPACE: Final = "NAMESPACE"
# What the chart makes of its other values, or what means nothing in a pod.
OTHERWISE_SET: Final = frozenset(
    {
        *(name for name in Settings.model_fields if name.endswith(("_file", "_host", "_port"))),
        *(name for name in Settings.model_fields if name.startswith(("kafka_", "clock_"))),
        *("namespace", "partitions", "replication_factor", "data_dir", "workers", "ingest_no_auth"),
    }
)
# As what the processes of the chart come to Kafka.
ROLES: Final = {
    "worker": (Role.WORKER,),
    "ingest": (Role.INGEST,),
    "serve": (Role.READ_MODEL, Role.CONNECTORS),
    "connect": (Role.CONNECT,),
    "operator": (Role.OPERATOR,),
}
_TYPES: Final = {Kind.TOPIC: "topic", Kind.GROUP: "group", Kind.TRANSACTIONAL_ID: "transactionalId"}


def kafka_yaml() -> str:
    """Return the topics and each role's permissions, in Strimzi's words."""
    topics = Topics(namespace=NAMESPACE, replication_factor=2)  # with several replicas brokers are asked, too
    contents = {
        "topics": [
            {
                "topicName": topic.name,
                # Without: as many as the installation has.
                **({} if topic.partitions == topics.layout.partitions else {"partitions": topic.partitions}),
                # The template knows how many replicas there are.
                "config": {name: value for name, value in topic.config().items() if name != "min.insync.replicas"},
            }
            for topic in topics.all()
        ],
        "users": {name: _acls(roles, topics) for name, roles in ROLES.items()},
    }
    return yaml.safe_dump(contents, sort_keys=False)


def _acls(roles: tuple[Role, ...], topics: Topics) -> list[dict[str, Any]]:
    operations = dict[tuple[Kind, str, bool], list[str]]()
    for permission in (each for role in roles for each in permissions(role, topics)):
        found = operations.setdefault((permission.kind, permission.name, permission.is_prefixed), [])
        if permission.operation not in found:
            found.append(permission.operation.value)
    return [
        {"resource": _resource(kind, name, is_prefixed=is_prefixed), "operations": found}
        for (kind, name, is_prefixed), found in operations.items()
    ]


def _resource(kind: Kind, name: str, *, is_prefixed: bool) -> dict[str, str]:
    if kind is Kind.CLUSTER:
        return {"type": "cluster"}
    return {"type": _TYPES[kind], "name": name, "patternType": "prefix" if is_prefixed else "literal"}


def schema_json() -> str:
    """Return the schema with the settings that there are."""
    schema = json.loads(SCHEMA_FILE.read_text())
    schema["properties"]["settings"]["properties"] = {
        variable_of(name): {"type": ["string", "number", "boolean"], "description": field.description}
        for name, field in Settings.model_fields.items()
        if name not in OTHERWISE_SET
    }
    return json.dumps(schema, indent=1) + "\n"


def main() -> None:
    """Write both files."""
    KAFKA_FILE.write_text(kafka_yaml())
    SCHEMA_FILE.write_text(schema_json())


if __name__ == "__main__":
    main()
