"""Pages of Ahrefs' answers: how many rows they have, and how far these go. Links are read by connectors/vendors."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple

from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.vendors.answers import instants_of, json_of

FORMAT: Final = "ahrefs-api"


class Page(NamedTuple):
    """``seen``: the instants by which the rows are sorted. Rows without one are not among them."""

    rows: int
    seen: Sequence[datetime]

    @property
    def is_sorted(self) -> bool:
        """Whether the oldest come first, as they were asked for."""
        return all(one <= other for one, other in pairwise(self.seen))


def read_page(body: bytes, *, sorted_by: str) -> Page:
    """Return what a page is. Raise `Rejected` for an answer that is none."""
    answer = json_of(body)
    rows = answer.get("backlinks") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise Rejected(Reason.INVALID_VALUE, "an answer without a list of backlinks")
    return Page(len(rows), instants_of(rows, sorted_by))
