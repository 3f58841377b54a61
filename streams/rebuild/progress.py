"""How far a rebuild is."""

from typing import Protocol


class Progress(Protocol):
    """Is told how far a rebuild is."""

    def say(self, line: str) -> None:
        """Tell what begins now."""

    def begin(self, records: int) -> None:
        """There are at most so many records to read now."""

    def advance(self, records: int) -> None:
        """So many more were read."""
