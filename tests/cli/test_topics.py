"""`flatline topics` on a real Kafka."""

import os
import subprocess
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from flatline.schema.topics import Topics
from tests.scripts import FLATLINE


@pytest.fixture
def environment(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> dict[str, str]:
    """Return the environment of a command on topics of its own."""
    settings = {
        "FLATLINE_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "FLATLINE_NAMESPACE": namespace,
        "FLATLINE_DATA_DIR": str(tmp_path),
    }
    return os.environ | settings | {"COLUMNS": "200"}


def _topics(environment: dict[str, str], *arguments: str, partitions: int = 2) -> subprocess.CompletedProcess[str]:
    environment = environment | {"FLATLINE_PARTITIONS": str(partitions)}
    return subprocess.run(
        [FLATLINE, "topics", *arguments], env=environment, check=False, capture_output=True, text=True
    )


def test_a_look_creates_nothing(kafka_bootstrap: str, namespace: str, environment: dict[str, str]) -> None:
    """Each topic that is missing is named, and is missing still: exit code 1."""
    declared = [topic.name for topic in Topics(namespace=namespace).all()]
    done = _topics(environment, "check")
    assert done.returncode == 1
    missing = done.stderr.removeprefix("Error: ").splitlines()
    assert [line for line in missing if line.endswith("does not exist.")] == [
        f"{name} does not exist." for name in declared
    ]
    assert all(name in done.stdout for name in declared)
    with KafkaAdminClient(bootstrap_servers=kafka_bootstrap) as admin:
        assert not set(declared) & set(admin.list_topics())


def test_a_look_says_what_differs(namespace: str, environment: dict[str, str]) -> None:
    """With the settings of the workers all is well; with others both figures are named, and what to ask oneself."""
    assert _topics(environment, "create").returncode == 0
    done = _topics(environment, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{namespace}.links.v1-dlq" in done.stdout
    done = _topics(environment, "check", partitions=3)
    assert done.returncode == 1
    assert f"{namespace}.links.v1 has 2 partitions; it should have 3." in done.stderr
    assert "FLATLINE_NAMESPACE, FLATLINE_PARTITIONS" in done.stderr
