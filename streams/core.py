"""Which core reads link records: the native one, in Rust (streams/native), or none: then Python reads all of them.

Python is the specification. The native core only saves time, so whoever doesn't know it needs to read nothing else.
"""

from enum import StrEnum
from importlib import import_module
from types import ModuleType
from typing import Final

from flatline.errors import FlatlineError

INTERFACE: Final = 2
"""What is passed between both, as the core's own ``INTERFACE`` says it; raised with every change of that."""


class Core(StrEnum):
    """The cores that FLATLINE_CORE can ask for."""

    AUTO = "auto"  # the native one where it is installed
    NATIVE = "native"
    PYTHON = "python"


class NoNativeCoreError(FlatlineError):
    """The native core is asked for, and can't be used."""

    remedy = "Build it with `make setup` where a Rust compiler is, or unset FLATLINE_CORE."


def native_core(wished: Core) -> ModuleType | None:
    """Return the native core; None where Python does its work. Raises NoNativeCoreError."""
    if wished is Core.PYTHON:
        return None
    why = why_not_native()
    if why and wished is Core.NATIVE:
        raise NoNativeCoreError(f"FLATLINE_CORE is native, but {why}.")
    return None if why else import_module("flatline_core")


def core_in_use(wished: Core) -> Core:
    """Return which core reads link records: NATIVE or PYTHON. Raises NoNativeCoreError."""
    return Core.PYTHON if native_core(wished) is None else Core.NATIVE


def why_not_native() -> str:
    """Say why the native core can't be used; nothing if it can."""
    try:
        found = import_module("flatline_core").INTERFACE
    except ImportError as error:
        return f"flatline_core can't be imported ({error})"
    return "" if found == INTERFACE else f"flatline_core is of another version ({found}, not {INTERFACE})"
