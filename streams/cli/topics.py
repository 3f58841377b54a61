"""`flatline topics`."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from streams.settings import load_settings


def topics(
    check: Annotated[
        bool, typer.Option("--check", help="Create nothing. Exit code 1 if one is missing or not as declared.")
    ] = False,
) -> None:
    """Create the topics that are missing, check the others, and list them all."""
    from deploy.kafka.topics import CHECK_REMEDY, TopicsError, check_topics, ensure_topics

    settings = load_settings()
    bootstrap, declared = settings.kafka_bootstrap, settings.topics.all()
    differences, new = [], []
    if check:
        differences = check_topics(bootstrap, declared)
    else:
        new = ensure_topics(bootstrap, declared, replication_factor=settings.replication_factor)
    table = Table("topic", "key", "partitions", "cleanup", "", box=None, title_justify="left")
    if differences:
        table.title = "As the settings have them; what is otherwise follows."
    for topic in declared:
        created = "created" if topic.name in new else ""
        table.add_row(topic.name, topic.key, str(topic.partitions), topic.cleanup_policy, created)
    Console().print(table)
    if differences:
        raise TopicsError("\n".join([*differences, CHECK_REMEDY]))
