"""The progress of a rebuild, in the terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Bar:
    """A bar on a terminal, and a line for each round; on stderr."""

    def __init__(self, console: Console, bar: Progress) -> None:
        self._console = console
        self._bar = bar
        self._task = bar.add_task("records", total=None)

    def say(self, line: str) -> None:
        """Tell what begins now."""
        self._console.print(line)

    def begin(self, records: int) -> None:
        """There are at most so many records to read now."""
        self._bar.reset(self._task, total=records)

    def advance(self, records: int) -> None:
        """So many more were read."""
        self._bar.advance(self._task, records)


@contextmanager
def rebuild_bar() -> Iterator[Bar]:
    """Show a bar during the block."""
    console = Console(stderr=True, highlight=False)
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(
        TextColumn("{task.description}"), *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        yield Bar(console, progress)
