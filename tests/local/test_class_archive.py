"""A Kafka starts from the archive of its classes, if `make setup` could write one, and otherwise without it."""

import subprocess
from pathlib import Path

import pytest

from flatline.local import programs
from flatline.local.kafka import _jvm


def kafka_tool(*options: str) -> str:
    """Run one of Kafka's programs as Kafka is run, with options for its Java; return what it prints."""
    java, *own = _jvm(heap_mb=128)
    command = [java, *options, *own, "kafka.tools.StorageTool", "random-uuid"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(not programs.KAFKA_CLASSES.exists(), reason="this Java could not archive Kafka's classes")
def test_most_classes_come_from_the_archive(tmp_path: Path) -> None:
    """It fits the jars and the Java that are here: otherwise none would."""
    log = tmp_path / "classes.log"
    kafka_tool(f"-Xlog:class+load:file={log}")
    loaded = [line for line in log.read_text().splitlines() if " org.apache.kafka." in line]
    archived = [line for line in loaded if "shared objects file (top)" in line]
    assert len(archived) > len(loaded) / 2, loaded


@pytest.mark.parametrize("content", [None, b"", b"no archive" * 100_000], ids=["none", "empty", "foreign"])
def test_without_a_fitting_archive_it_starts_too(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after another Java was installed."""
    file = tmp_path / "classes.jsa"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(programs, "KAFKA_CLASSES", file)
    assert len(kafka_tool().split()[-1]) == len("MQPTo07tQPy2xEj5THIr-Q")
