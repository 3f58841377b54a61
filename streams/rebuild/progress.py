"""How a rebuild reports its progress."""

from typing import Protocol


class Progress(Protocol):
    """Receives the progress of a rebuild."""

    def say(self, line: str) -> None:
        """Show a line about the step that begins."""

    def begin(self, records: int) -> None:
        """Begin a step that reads at most this many records."""

    def advance(self, records: int) -> None:
        """Add records that were read."""
