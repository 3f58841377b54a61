"""The producers in the documents: each sends an event that the contract accepts, where its language is installed."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flatline.domain.urls.canonical import article_key
from flatline.schema import codec
from flatline.schema.topics import Topics
from tests.connectors.pushing import TOKEN, RunningIngest
from tests.integration.reading import read_all
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT / "streams" / "schema" / "README.md"
PUSHING = ROOT / "connectors" / "ingest" / "README.md"
KAFKA_LIBRARIES = ROOT / ".tools" / "kafka"
ADDRESS = "127.0.0.1:9092"
TOPIC = Topics().links.name


def example(page: Path, language: str) -> str:
    """Return the one block of a page in that language that sends an event."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if "yours.example/article" in block]
    return found


def run(*command: str | Path, needs: str, folder: Path, **variables: str) -> None:
    """Run a program to its end, in a folder of its own; skip the test where it isn't installed."""
    if shutil.which(needs) is None:
        pytest.skip(f"{needs} is not installed")
    subprocess.run(command, cwd=folder, env={**os.environ, **variables}, check=True, timeout=PATIENCE_S)


def check_one_came(bootstrap: str, topics: Topics) -> None:
    """One event came, which says what the example says, and no dead letter."""
    (record,) = read_all(bootstrap, topics.links)
    event = codec.links.decode(record.value)
    assert event.url_from == "https://elsewhere.example/post"
    assert article_key(event.url_to, field="url_to") == b"https://yours.example/article"
    assert not read_all(bootstrap, topics.dead_letters)


def to_kafka(page: Path, language: str, bootstrap: str, topics: Topics) -> str:
    """Return an example that writes to the topics of a test."""
    code = example(page, language)
    assert ADDRESS in code
    assert TOPIC in code
    return code.replace(ADDRESS, bootstrap).replace(TOPIC, topics.links.name)


def test_python(kafka_bootstrap: str, topics: Topics, tmp_path: Path) -> None:
    """With kafka-python."""
    code = to_kafka(CONTRACT, "python", kafka_bootstrap, topics)
    run(sys.executable, "-c", code, needs=sys.executable, folder=tmp_path)
    check_one_came(kafka_bootstrap, topics)


def test_kcat(kafka_bootstrap: str, topics: Topics, tmp_path: Path) -> None:
    """In a shell."""
    code = to_kafka(CONTRACT, "sh", kafka_bootstrap, topics)
    run("sh", "-c", code, needs="kcat", folder=tmp_path)
    check_one_came(kafka_bootstrap, topics)


def test_java(kafka_bootstrap: str, topics: Topics, tmp_path: Path) -> None:
    """With Kafka's own client."""
    (tmp_path / "Push.java").write_text(to_kafka(CONTRACT, "java", kafka_bootstrap, topics))
    libraries = f"{KAFKA_LIBRARIES}/*"
    run("java", "-cp", libraries, "Push.java", needs="javac", folder=tmp_path)
    check_one_came(kafka_bootstrap, topics)


@pytest.mark.long
def test_go(ingest: RunningIngest, kafka_bootstrap: str, tmp_path: Path) -> None:
    """With its standard library, over HTTP."""
    with one_pushed(ingest, kafka_bootstrap):
        (tmp_path / "push.go").write_text(to_ingest("go", ingest))
        variables = {"TOKEN": TOKEN, "GOCACHE": str(tmp_path / "cache"), "GO111MODULE": "off", "GOFLAGS": ""}
        run("go", "run", "push.go", needs="go", folder=tmp_path, **variables)


def test_javascript(ingest: RunningIngest, kafka_bootstrap: str, tmp_path: Path) -> None:
    """With Node's own fetch, over HTTP."""
    with one_pushed(ingest, kafka_bootstrap):
        (tmp_path / "push.mjs").write_text(to_ingest("js", ingest))
        run("node", "push.mjs", needs="node", folder=tmp_path, TOKEN=TOKEN)


def to_ingest(language: str, ingest: RunningIngest) -> str:
    """Return an example that pushes to the ingest of the tests."""
    code = example(PUSHING, language)
    assert "127.0.0.1:8710" in code
    return code.replace("127.0.0.1:8710", f"127.0.0.1:{ingest.port}")


@contextmanager
def one_pushed(ingest: RunningIngest, bootstrap: str) -> Iterator[None]:
    """Check that the example's event came to the ingest's topic in the block."""
    before = len(read_all(bootstrap, ingest.topics.links))
    yield
    records = read_all(bootstrap, ingest.topics.links)[before:]
    assert [codec.links.decode(record.value).url_from for record in records] == ["https://elsewhere.example/post"]
