"""Progress of long work: a bar on a terminal, otherwise a line now and then; always on stderr."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_SECONDS_BETWEEN_LINES: Final = 5.0


class Measured(Protocol):
    """Work whose extent is known in bytes, or not at all."""

    @property
    def size_bytes(self) -> int | None:
        """All there is to do."""

    @property
    def read_bytes(self) -> int:
        """What is done."""


class Display:
    """Shows lines, their rate, and the share of the bytes that is behind us."""

    def __init__(self, works: Iterable[Measured], console: Console) -> None:
        self._works = list(works)
        sizes = [work.size_bytes for work in self._works]
        self._size_bytes = None if None in sizes else sum(size or 0 for size in sizes)
        self._console = console
        self._is_terminal = console.is_terminal
        self._started_s = self._said_s = time.monotonic()
        columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn()) if self._size_bytes else ()
        self._progress = Progress(
            TextColumn("{task.description}"),
            *columns,
            TimeElapsedColumn(),
            console=console,
            refresh_per_second=4,
            transient=True,
            disable=not self._is_terminal,
        )
        self._task = self._progress.add_task("0 lines", total=self._size_bytes)

    def show(self, lines: int) -> None:
        """Show that so many lines are taken."""
        now_s = time.monotonic()
        said = f"{lines:,} lines, {lines / max(now_s - self._started_s, 0.001):,.0f}/s"
        if self._is_terminal:
            self._progress.update(self._task, completed=self._read_bytes, description=said)
        elif now_s >= self._said_s + _SECONDS_BETWEEN_LINES:
            self._said_s = now_s
            share = f", {self._read_bytes / self._size_bytes:.0%}" if self._size_bytes else ""
            self._console.print(said + share)

    @property
    def _read_bytes(self) -> int:
        return sum(work.read_bytes for work in self._works)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Show it for as long as the block runs."""
        with self._progress:
            yield
