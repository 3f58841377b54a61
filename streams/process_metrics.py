"""Metrics that each of our processes has."""

from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, Info, PlatformCollector, ProcessCollector

_VERSION: Final = version("flatline")


def register_process(registry: CollectorRegistry) -> None:
    """Add what the client library knows of a process: its memory, CPU time, files, Python and garbage."""
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)


def register_build(registry: CollectorRegistry) -> None:
    """Add `flatline_build_info`, which says the version."""
    Info("flatline_build", "The version that runs; always 1.", registry=registry).info({"version": _VERSION})
