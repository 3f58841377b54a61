import platform
import sys
from importlib import metadata, util
from pathlib import Path

from faust import streams as faust_streams

from flatline.doctor.finding import Finding
from flatline.local import programs
from flatline.local.errors import LaunchError

_SETUP = "get it with `make setup`"
_PYTHON_MIN = (3, 11)


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


def _examine_python() -> Finding:
    found = platform.python_version()
    if sys.version_info < _PYTHON_MIN:
        return Finding.wrong("Python", f"{found}; 3.11 or later is needed")
    return Finding.fine("Python", found)


def _examine_java() -> Finding:
    try:
        java = programs.java()
    except LaunchError as error:
        return Finding.wrong("Java", f"{error} {error.remedy}")
    found, least = programs.java_major(java), programs.JAVA_MAJOR_MIN
    if found < least:
        return Finding.wrong("Java", f"{found} ({java}); {least} or later is needed: {_SETUP}")
    return Finding.fine("Java", f"{found} ({java})")


def _examine_kafka_jars() -> Finding:
    try:
        classpath = programs.kafka_classpath()
    except LaunchError as error:
        return Finding.wrong("Kafka's jars", f"{error} {error.remedy}")
    return Finding.fine("Kafka's jars", str(Path(classpath).parent))


def _examine_program(program: programs.Program) -> Finding:
    path = program.path()
    name = program.names[0]
    return Finding.fine(name, path) if path else Finding.wrong(name, f"{_SETUP}, or install {program.package}")


def _examine_faust() -> Finding:
    version = metadata.version("faust-streaming")
    if getattr(faust_streams, "_CStreamIterator", None):
        return Finding.fine("Faust, compiled", version)
    remedy = f"{version} has no compiled streams, and without them acks are wrong: install its wheel, or a C compiler"
    return Finding.wrong("Faust, compiled", remedy)


def _examine_crc32c() -> Finding:
    if util.find_spec("crc32c") is None:
        return Finding.wrong("crc32c in C", _SETUP)
    return Finding.fine("crc32c in C", metadata.version("crc32c"))
