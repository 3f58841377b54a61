"""`python -m tests.bench.restart.noting FILE SCRIPT ARGUMENT...`: runs a worker, and notes how long each commit took.

The worker itself counts them in a histogram, whose buckets are too wide to tell a percentile. What it observes is
written into FILE, a line each, in seconds.
"""

import runpy
import sys
from pathlib import Path
from typing import Any, Final

from prometheus_client import Histogram

_COMMITS: Final = "flatline_commit_duration_seconds"


def main(file: str, *command: str) -> None:
    """Run the script of a Python program with its arguments."""
    observe = Histogram.observe
    with Path(file).open("w", buffering=1) as noted:

        def observe_and_note(self: Histogram, amount: float, *others: Any, **named: Any) -> None:
            observe(self, amount, *others, **named)
            if self.describe()[0].name == _COMMITS:
                noted.write(f"{amount}\n")

        Histogram.observe = observe_and_note  # type: ignore[method-assign]
        sys.argv = [*command]
        runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
