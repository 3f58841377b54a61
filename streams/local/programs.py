import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from flatline.local.errors import LaunchError

PROJECT = Path(__file__).parents[2]
KAFKA_JARS = PROJECT / ".tools" / "kafka"
# The archive of their classes (class_archive.py).
KAFKA_CLASSES = PROJECT / ".tools" / "kafka-classes.jsa"
JAVA_MAJOR_MIN = 17


@dataclass(frozen=True)
class Program:
    """A program that somebody else has to install: the names it goes by, and Debian's package of it."""

    names: tuple[str, ...]
    package: str

    def path(self) -> str | None:
        """Return where it is, or None."""
        return next(filter(None, map(shutil.which, self.names)), None)

    def required(self) -> str:
        """Return where it is. Raises LaunchError that says how to get it."""
        if path := self.path():
            return path
        raise LaunchError(
            f"{self.names[0]} is not on the PATH.", remedy=f"Get it with `make setup`, or install {self.package}."
        )


PROMETHEUS = Program(("prometheus",), "prometheus")
PROMTOOL = Program(("promtool",), "prometheus")
# Debian's name for it, and its own.
ALERTMANAGER = Program(("prometheus-alertmanager", "alertmanager"), "prometheus-alertmanager")
AMTOOL = Program(("amtool",), "prometheus-alertmanager")
_JAVA = Program(("java",), "openjdk-17-jre-headless")


def java() -> str:
    """Return the Java to run: that of JAVA_HOME, else the one on the PATH. Raises LaunchError."""
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").exists():
        return str(Path(home) / "bin" / "java")
    return _JAVA.required()


def java_major(java: str) -> int:
    """Return the number before the first dot of a Java's version; 0 when it doesn't say."""
    said = subprocess.run([java, "-version"], check=False, capture_output=True, text=True).stderr  # noqa: S603
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else 0


def kafka_classpath() -> str:
    """Return the class path of Kafka's jars. Raises LaunchError when they aren't there."""
    if not any(KAFKA_JARS.glob("kafka_*.jar")):
        raise LaunchError(f"Kafka's jars are not in {KAFKA_JARS}.", remedy="Get them with `make setup`.")
    return f"{KAFKA_JARS}/*"
