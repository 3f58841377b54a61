"""What the benchmark says: lines while it runs, tables, and the figures as JSON."""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from flatline.local import programs
from tests.bench import targets

_CONSOLE = Console(highlight=False, markup=False, soft_wrap=True, width=100)


def say(text: str) -> None:
    """Print a line."""
    _CONSOLE.print(text)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; all but the first column hold numbers."""
    drawn = Table(headings[0], box=None)
    for heading in headings[1:]:
        drawn.add_column(heading, justify="right")
    for row in rows:
        drawn.add_row(*row)
    say("")
    _CONSOLE.print(drawn)


def figures(found: Mapping[str, float]) -> None:
    """Print every figure beside its target, and write them to the file BENCH_OUT if that is set."""
    table(
        ("", "figure", "target", ""),
        (
            (name, _rounded(figure), targets.wanted(name), "missed" if targets.is_missed(name, figure) else "")
            for name, figure in found.items()
        ),
    )
    if out := os.environ.get("BENCH_OUT"):
        kept = {
            **{name: round(figure) if figure >= 1_000 else round(figure, 4) for name, figure in found.items()},
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": _machine(),
        }
        Path(out).write_bytes(orjson.dumps(kept, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _rounded(figure: float) -> str:
    return f"{figure:,.0f}" if abs(figure) >= 1_000 or figure == int(figure) else f"{figure:.3g}"


def _machine() -> str:
    cpuinfo = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in cpuinfo if line.startswith("model name")), platform.machine())
    memory_gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    java = programs.java_major(programs.java())
    return (
        f"{os.cpu_count()} x {model}, {memory_gib:.0f} GiB, {system} (Linux {platform.release()}), "
        f"Python {platform.python_version()}, Java {java}"
    )
