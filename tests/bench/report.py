"""What the benchmark says: lines while it runs, a table at its end, and the figures as JSON."""

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import orjson
from rich.console import Console
from rich.table import Table

from tests.bench import workload

_CONSOLE = Console(highlight=False, markup=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a line."""
    _CONSOLE.print(text)


def report(rates: Mapping[str, Sequence[float]], *, titles: Mapping[str, str], events: int) -> None:
    """Print the table, and write the figures to the file BENCH_OUT if that is set.

    ``rates`` are the events per second in each repeat, by peer. The first peer is us.
    """
    medians = {name: median(repeats) for name, repeats in rates.items()}
    us, *peers = medians
    table = Table("", box=None)
    for heading in ("events/s", "slowest to fastest", "ours / this"):
        table.add_column(heading, justify="right")
    for name, rate in medians.items():
        ratio = "" if name == us else f"{medians[us] / rate:.2f}"
        table.add_row(titles[name], f"{rate:,.0f}", f"{min(rates[name]):,.0f} to {max(rates[name]):,.0f}", ratio)
    say("")
    _CONSOLE.print(table)
    figures = {
        "events": events,
        "articles": workload.expected(events).articles,
        **{f"{name}_events_per_s": round(rate) for name, rate in medians.items()},
        **{f"vs_{name}": round(medians[us] / medians[name], 3) for name in peers},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
    }
    if out := os.environ.get("BENCH_OUT"):
        Path(out).write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _machine() -> str:
    cpuinfo = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in cpuinfo if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} x {model}, {platform.system()}, Python {platform.python_version()}"
