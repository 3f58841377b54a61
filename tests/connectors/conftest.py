import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from flatline.admin.topics import ensure_topics
from flatline.kafka.cluster import KafkaCluster
from flatline.schema.topics import Topics
from tests.connectors.examples import SOURCES
from tests.connectors.pushing import SOURCE, RunningIngest, running_ingest

GRANTED = ",".join(SOURCES)


@pytest.fixture
def topics(kafka_bootstrap: str, namespace: str) -> Topics:
    """Topics of one test, which exist."""
    return made_topics(kafka_bootstrap, namespace)


def made_topics(bootstrap: str, namespace: str) -> Topics:
    """Create the topics of a namespace, with few partitions."""
    topics = Topics(namespace=namespace, partitions=3)
    ensure_topics(KafkaCluster(bootstrap), topics.all())
    return topics


@pytest.fixture
def environment(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> dict[str, str]:
    """Return the environment for commands that are to use the test's Kafka and topics."""
    return environment_of(kafka_bootstrap, namespace, tmp_path)


def environment_of(bootstrap: str, namespace: str, folder: Path) -> dict[str, str]:
    """Return the environment for commands that use this Kafka and namespace."""
    return {
        **os.environ,
        "FLATLINE_KAFKA_BOOTSTRAP": bootstrap,
        "FLATLINE_NAMESPACE": namespace,
        "FLATLINE_DATA_DIR": str(folder / "data"),
        "FLATLINE_PARTITIONS": "3",
    }


@pytest.fixture(scope="module")
def ingest(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIngest]:
    """Run a real `flatline ingest` with the usual limits, for the tests of one file."""
    namespace, folder = f"test-{secrets.token_hex(6)}", tmp_path_factory.mktemp("ingest")
    topics = made_topics(kafka_bootstrap, namespace)
    environment = environment_of(kafka_bootstrap, namespace, folder)
    with running_ingest(environment, topics, folder, source=f"{SOURCE},{GRANTED}") as running:
        yield running
