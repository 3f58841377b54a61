"""`flatline topics`."""

from rich.console import Console
from rich.table import Table

from streams.settings import load_settings


def topics() -> None:
    """Create the topics that are missing, check the others, and list them all."""
    from deploy.kafka.topics import ensure_topics

    settings = load_settings()
    declared = settings.topics.all()
    new = ensure_topics(settings.kafka_bootstrap, declared, replication_factor=settings.replication_factor)
    table = Table("topic", "key", "partitions", "cleanup", "", box=None)
    for topic in declared:
        created = "created" if topic.name in new else ""
        table.add_row(topic.name, topic.key, str(topic.partitions), topic.cleanup_policy, created)
    Console().print(table)
