"""`make bench`: the parts of the benchmark, one after the other, on one Kafka. README.md says the rules."""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final

from flatline.local.errors import LaunchError
from flatline.local.stopping import until_stopped
from tests.bench import report
from tests.bench.broker import fresh_kafka, topics_deleted
from tests.bench.part import WrongResult

PARTS: Final = (
    "throughput",
    "native_core",
    "hot_article",
    "state",
    "restart",
    "latency",
    "ingest",
    "storage",
    "memory",
    "partitions",
    "policy_lab",
)
"""Modules with a function ``measure(bootstrap: str, folder: Path) -> dict[str, float]``: figures by name."""


def main() -> int:
    """Run the parts that PARTS names, else all; return the exit code."""
    parts = os.environ.get("PARTS", "").replace(",", " ").split() or PARTS
    if unknown := set(parts) - set(PARTS):
        report.say(f"There is no part {', '.join(sorted(unknown))}. PARTS can name: {', '.join(PARTS)}")
        return 2
    with until_stopped():
        try:
            report.figures(_measure(parts))
        except (LaunchError, WrongResult) as error:
            report.say(str(error))
            return 1
        return 0
    return 130


def _measure(parts: Sequence[str]) -> dict[str, float]:
    figures: dict[str, float] = {}
    with fresh_kafka() as (bootstrap, folder):
        for part in parts:
            report.say(f"\n{part}")
            (folder / part).mkdir()
            with topics_deleted(bootstrap, ""):
                figures |= importlib.import_module(f"tests.bench.{part}").measure(bootstrap, folder / part)
    return figures


if __name__ == "__main__":
    sys.exit(main())
