"""One part of the benchmark by itself, with a Kafka of its own: `python -m tests.bench.<part>`."""

import os
from collections.abc import Callable
from pathlib import Path

from flatline.local.errors import LaunchError
from flatline.local.stopping import until_stopped
from tests.bench.broker import fresh_kafka
from tests.bench.report import say

Measure = Callable[[str, Path], dict[str, float]]


class WrongResult(Exception):
    """What was measured did something else than it must. How fast it did so is of no interest."""


def setting(name: str, default: int) -> int:
    """Return a size of the benchmark: the environment's, else the default."""
    return int(os.environ.get(name, default))


def run(measure: Measure) -> int:
    """Measure, print the figures, and return the exit code."""
    with until_stopped():
        try:
            with fresh_kafka() as (bootstrap, folder):
                figures = measure(bootstrap, folder)
        except (LaunchError, WrongResult) as error:
            say(str(error))
            return 1
        for name, figure in figures.items():
            say(f"{name:>40} {figure:,.4g}" if abs(figure) < 100 else f"{name:>40} {figure:,.0f}")
        return 0
    return 130
