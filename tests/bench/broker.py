"""The benchmark's Kafka, and what is asked of it about topics."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from kafka import KafkaAdminClient
from kafka.admin import MemberToRemove

from flatline.local.kafka import Kafka
from flatline.local.ports import Ports
from flatline.local.supervisor import Supervisor
from flatline.settings import PREFIX
from tests.bench.report import say


@contextmanager
def fresh_kafka() -> Iterator[tuple[str, Path]]:
    """Run a Kafka for the block; yield its host:port and a folder. Nothing of either is left. Raises LaunchError."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    # The clients warn of every retry; what finally fails is raised.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    with TemporaryDirectory(prefix="flatline-bench-") as temporary:
        folder = Path(temporary)
        with Supervisor(folder / "logs", say=say) as supervisor:
            kafka = Kafka(folder / "kafka", Ports(folder / "ports.json"))
            supervisor.start(kafka.process())
            yield kafka.bootstrap, folder


@contextmanager
def topics_deleted(bootstrap: str, *prefixes: str) -> Iterator[None]:
    """At the end delete the topics that were created meanwhile: they would be compacted while the next one is timed.

    Of these topics only those with one of the prefixes: others may use the broker, too.
    """
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        before = set(admin.list_topics())
        yield
        new = [name for name in admin.list_topics() if name.startswith(prefixes) and name not in before]
        if new:
            admin.delete_topics(new)


def delete_group(bootstrap: str, group: str) -> None:
    """Delete a consumer group of which no member runs any more, so that the next one begins at the beginning."""
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        # A static member stays in the group until its session expires.
        members = [
            MemberToRemove(member_id=member["member_id"], group_instance_id=member["group_instance_id"])
            for member in admin.describe_groups([group])[group]["members"]
        ]
        if members:
            admin.remove_group_members(group, members)
        admin.delete_groups([group])


def log_bytes(bootstrap: str, topic: str) -> int:
    """Return the size of a topic's log, all partitions together."""
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        return sum(
            partition["partition_size"]
            for broker in admin.describe_log_dirs([topic])
            for folder in broker["log_dirs"]
            for found in folder["topics"]
            for partition in found["partitions"]
        )
