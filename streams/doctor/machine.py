import platform
import sys
from importlib import metadata, util
from pathlib import Path

from faust import streams as faust_streams

from flatline.core import Core, NoNativeCoreError, core_in_use, why_not_native
from flatline.doctor.check_result import CheckResult
from flatline.local import programs
from flatline.local.errors import LaunchError

_SETUP = "get it with `make setup`"
_PYTHON_MIN = (3, 11)


def examine_machine(core: Core) -> list[CheckResult]:
    """Check what `flatline up` needs on this machine, and the core that is wished for."""
    return [
        _examine_python(),
        _examine_java(),
        _examine_kafka_jars(),
        *map(_examine_program, (programs.PROMETHEUS, programs.PROMTOOL, programs.ALERTMANAGER, programs.AMTOOL)),
        _examine_faust(),
        _examine_crc32c(),
        _examine_core(core),
    ]


def _examine_python() -> CheckResult:
    found = platform.python_version()
    if sys.version_info < _PYTHON_MIN:
        return CheckResult.wrong("Python", f"{found}; 3.11 or later is needed")
    return CheckResult.fine("Python", found)


def _examine_java() -> CheckResult:
    try:
        java = programs.java()
    except LaunchError as error:
        return CheckResult.wrong("Java", f"{error} {error.remedy}")
    found, least = programs.java_major(java), programs.JAVA_MAJOR_MIN
    if found < least:
        return CheckResult.wrong("Java", f"{found} ({java}); {least} or later is needed: {_SETUP}")
    return CheckResult.fine("Java", f"{found} ({java})")


def _examine_kafka_jars() -> CheckResult:
    try:
        classpath = programs.kafka_classpath()
    except LaunchError as error:
        return CheckResult.wrong("Kafka's jars", f"{error} {error.remedy}")
    return CheckResult.fine("Kafka's jars", str(Path(classpath).parent))


def _examine_program(program: programs.Program) -> CheckResult:
    path = program.path()
    name = program.names[0]
    return CheckResult.fine(name, path) if path else CheckResult.wrong(name, f"{_SETUP}, or install {program.package}")


def _examine_faust() -> CheckResult:
    version = metadata.version("faust-streaming")
    if getattr(faust_streams, "_CStreamIterator", None):
        return CheckResult.fine("Faust, compiled", version)
    remedy = f"{version} has no compiled streams, and without them acks are wrong: install its wheel, or a C compiler"
    return CheckResult.wrong("Faust, compiled", remedy)


def _examine_crc32c() -> CheckResult:
    if util.find_spec("crc32c") is None:
        return CheckResult.wrong("crc32c in C", _SETUP)
    return CheckResult.fine("crc32c in C", metadata.version("crc32c"))


def _examine_core(wished: Core) -> CheckResult:
    what = "core"
    try:
        used = core_in_use(wished)
    except NoNativeCoreError as error:
        return CheckResult.wrong(what, f"{error} {error.remedy}")
    if used is wished or used is Core.NATIVE:
        return CheckResult.fine(what, f"{used} (FLATLINE_CORE is {wished})")
    return CheckResult.look(what, f"python, which reads links more slowly, with the same results: {why_not_native()}")
