"""`flatline topics`: create, check and alter them, and who may do what with them."""

import shlex
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Final

import orjson
import typer
from rich.console import Console
from rich.table import Table

from flatline.cli.grammar import noun
from flatline.cli.options import Incomplete, Json, with_settings
from flatline.cli.rebuild_bar import rebuild_bar
from flatline.kafka.permissions import Permission, Role, permissions
from flatline.schema.topics import DAY_MS, Topic
from flatline.settings import Settings

if TYPE_CHECKING:
    from flatline.admin.topics import Difference

_ASK_YOURSELF: Final = (
    "The settings that begin with FLATLINE_ must be those of the workers: FLATLINE_NAMESPACE, FLATLINE_PARTITIONS, "
    "FLATLINE_REPLICATION_FACTOR and FLATLINE_RETENTION_DAYS define the topics."
)

# The file says how the administrator of the cluster gets in.
_ADMIN: Final = ("--command-config", "admin.properties")

app = noun("The topics in Kafka.")


@app.command()
@with_settings()
def create(*, settings: Settings) -> None:
    """Create missing topics, check the others, and list all."""
    from flatline.admin.topics import check_topics, ensure_topics
    from flatline.generations import serving_topics

    declared = serving_topics(settings, Role.OPERATOR).all()
    new = ensure_topics(settings.cluster, declared)
    _print(declared, dict.fromkeys(new, "created"))
    _print_differences(check_topics(settings.cluster, declared))


@app.command()
@with_settings()
def check(*, settings: Settings) -> None:
    """Compare the topics with what they should be. Changes nothing.

    Compares every setting, the partitions and the replicas. Exit code 1 if a topic is missing or differs.
    """
    from flatline.admin.topics import TopicsError, check_topics, remedies
    from flatline.generations import serving_topics

    declared = serving_topics(settings, Role.OPERATOR).all()
    differences = check_topics(settings.cluster, declared)
    _print(declared, {})
    if differences:
        raise TopicsError("\n".join(remedies(differences)), remedy=_ASK_YOURSELF)


@app.command()
@with_settings()
def alter(*, settings: Settings) -> None:
    """Give existing topics the settings that they should have.

    `flatline topics check` shows the differences. Records stay, unless the retention (FLATLINE_RETENTION_DAYS) becomes
    shorter: then Kafka deletes older records within minutes.
    """
    from flatline.admin.topics import alter_topics, check_topics
    from flatline.generations import serving_topics

    declared = serving_topics(settings, Role.OPERATOR).all()
    changed = alter_topics(settings.cluster, declared)
    _print(declared, dict.fromkeys(changed, "altered"))
    _print_differences(check_topics(settings.cluster, declared))


@app.command()
@with_settings()
def repartition(
    partitions: Annotated[int, typer.Argument(metavar="PARTITIONS", min=1, max=1000, help="New number of partitions.")],
    *,
    incomplete: Incomplete = False,
    settings: Settings,
) -> None:
    """Change the number of partitions.

    Copies the log into new topics and builds a new state from them. The old ones stay in use until the new ones are
    ready; then the workers switch by themselves, and forward what producers still write to the old topics. Run it
    again to resume after an interruption. To go back, run it with the old number.
    """
    from flatline.rebuild.rebuild import rebuild

    with rebuild_bar() as bar:
        rebuilt = rebuild(settings, bar, partitions=partitions, may_be_incomplete=incomplete)
    layout = rebuilt.generation.layout
    typer.echo(f"Topics with {layout.partitions} partitions are now in use, with state {rebuilt.generation.state}.")


@app.command()
@with_settings()
def acls(
    role: Annotated[list[Role] | None, typer.Argument(help="Only of this role. Repeatable; else of all.")] = None,
    *,
    json: Json = False,
    settings: Settings,
) -> None:
    """Print the permissions that each role needs in Kafka.

    Prints commands of kafka-acls.sh, for a cluster that forbids whatever is not allowed, and asks no Kafka. The users
    are called NAMESPACE-ROLE. Who has several roles needs the permissions of each. Topics and groups that the
    installation makes later are included.
    """
    for each in role or Role:
        user = f"User:{settings.namespace}-{each}"
        for permission in permissions(each, settings.topics):
            if json:
                sys.stdout.buffer.write(orjson.dumps(_entry(each, user, permission), option=orjson.OPT_APPEND_NEWLINE))
            else:
                command = ["kafka-acls.sh", "--bootstrap-server", settings.kafka_bootstrap, *_ADMIN, "--add"]
                typer.echo(shlex.join([*command, "--allow-principal", user, *permission.options()]))


def _entry(role: Role, user: str, permission: Permission) -> dict[str, str]:
    return {
        "role": role,
        "principal": user,
        "resource": permission.kind,
        "name": permission.name,
        "pattern": "prefixed" if permission.is_prefixed else "literal",
        "operation": permission.operation,
    }


def _print(topics: Iterable[Topic], done: Mapping[str, str]) -> None:
    table = Table("topic", "key", "partitions", "replicas", "cleanup", "kept", "", box=None, title_justify="left")
    table.title = "The topics as they should be"
    for topic in topics:
        kept = "for ever" if topic.retention_ms is None else f"{topic.retention_ms // DAY_MS} days"
        figures = str(topic.partitions), str(topic.replication_factor)
        table.add_row(topic.name, topic.key, *figures, topic.cleanup_policy, kept, done.get(topic.name, ""))
    Console().print(table)


def _print_differences(differences: Iterable["Difference"]) -> None:
    from flatline.admin.topics import remedies

    for line in remedies(differences):
        Console(stderr=True, highlight=False).print(line, markup=False, soft_wrap=True)
