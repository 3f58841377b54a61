import platform
import sys
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from faust import streams as faust_streams

from deploy.kafka.topics import TopicsError, check_topics
from deploy.local import probes, programs
from deploy.local.errors import LaunchError
from streams.schema.topics import Topics
from streams.settings import Settings

_SETUP = "get it with `make setup`"
_PYTHON_MIN = (3, 11)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it is as it should be, and what there is or what to do."""

    what: str
    is_fine: bool
    says: str


def examine_machine() -> list[Finding]:
    """Look at what `flatline up` needs to find on this machine."""
    return [
        _examine_python(),
        _examine_java(),
        _examine_kafka_jars(),
        *map(_examine_program, (programs.PROMETHEUS, programs.PROMTOOL, programs.ALERTMANAGER, programs.AMTOOL)),
        _examine_faust(),
        _examine_crc32c(),
    ]


def examine_installation(settings: Settings) -> list[Finding]:
    """Look at the running installation that the settings lead to."""
    bootstrap = settings.kafka_bootstrap
    if not probes.is_kafka(bootstrap):
        return [
            Finding("Kafka", is_fine=False, says=f"nothing answers at {bootstrap}: correct FLATLINE_KAFKA_BOOTSTRAP")
        ]
    worker = f"{settings.worker_host}:{settings.worker_port}"
    ingest = f"{settings.ingest_host}:{settings.ingest_port}"
    return [
        Finding("Kafka", is_fine=True, says=f"answers at {bootstrap}"),
        _examine_topics(settings),
        _examine_readiness("worker", worker),
        _examine_readiness("ingest", ingest),
    ]


def _examine_python() -> Finding:
    found = platform.python_version()
    is_fine = sys.version_info >= _PYTHON_MIN
    return Finding("Python", is_fine, found if is_fine else f"{found}; 3.11 or later is needed")


def _examine_java() -> Finding:
    try:
        java = programs.java()
    except LaunchError as error:
        return Finding("Java", is_fine=False, says=str(error))
    found, least = programs.java_major(java), programs.JAVA_MAJOR_MIN
    if found < least:
        return Finding("Java", is_fine=False, says=f"{found} ({java}); {least} or later is needed: {_SETUP}")
    return Finding("Java", is_fine=True, says=f"{found} ({java})")


def _examine_kafka_jars() -> Finding:
    try:
        classpath = programs.kafka_classpath()
    except LaunchError as error:
        return Finding("Kafka's jars", is_fine=False, says=str(error))
    return Finding("Kafka's jars", is_fine=True, says=str(Path(classpath).parent))


def _examine_program(program: programs.Program) -> Finding:
    path = program.path()
    return Finding(program.names[0], path is not None, path or f"{_SETUP}, or install {program.package}")


def _examine_faust() -> Finding:
    version = metadata.version("faust-streaming")
    if getattr(faust_streams, "_CStreamIterator", None):
        return Finding("Faust, compiled", is_fine=True, says=version)
    remedy = f"{version} has no compiled streams, and without them acks are wrong: install its wheel, or a C compiler"
    return Finding("Faust, compiled", is_fine=False, says=remedy)


def _examine_crc32c() -> Finding:
    is_there = util.find_spec("crc32c") is not None
    return Finding("crc32c in C", is_there, metadata.version("crc32c") if is_there else _SETUP)


def _examine_topics(settings: Settings) -> Finding:
    topics = Topics(namespace=settings.namespace, partitions=settings.partitions).all()
    try:
        differences = check_topics(settings.kafka_bootstrap, topics)
    except TopicsError as error:
        differences = [str(error)]
    return Finding("topics", not differences, "\n".join(differences) or f"{len(topics)}, as declared")


def _examine_readiness(name: str, address: str) -> Finding:
    is_ready = probes.answers_ok(address, "/readyz")
    return Finding(name, is_ready, f"ready at {address}" if is_ready else f"http://{address}/readyz does not say 200")
