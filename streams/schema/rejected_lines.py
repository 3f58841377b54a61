"""The lines of files that were rejected."""

from collections import Counter
from typing import NamedTuple

from flatline.schema.rejection import Reason, Rejected


class RejectedLine(NamedTuple):
    """Where a rejected line is, and what is wrong with it."""

    file: str
    number: int
    detail: str


class RejectedLines(Counter[Reason]):
    """How many lines were rejected for each reason.

    ``examples``: the first line of each reason, which is enough to see what is wrong with a file, however large.
    """

    def __init__(self) -> None:
        super().__init__()
        self.examples: dict[Reason, RejectedLine] = {}

    def reject(self, rejected: Rejected, *, file: str, number: int) -> None:
        """Count a line."""
        self[rejected.reason] += 1
        self.examples.setdefault(rejected.reason, RejectedLine(file, number, rejected.detail))
