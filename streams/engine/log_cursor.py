"""How far somebody has read a list that only grows."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class LogCursor:
    """At the beginning of a list, until it is read."""

    def __init__(self) -> None:
        self._read = 0

    def new_in(self, log: Sequence[T]) -> Sequence[T]:
        """Return what was appended since this was last asked."""
        new, self._read = log[self._read :], len(log)
        return new
