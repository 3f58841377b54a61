"""Pages of Ahrefs' answers: how many rows they have, and how far these go. Links are read by connectors/vendors."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final, NamedTuple

import msgspec

from flatline.schema.codec import JSON_ERRORS
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.files.exports.dates import instant_of

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
    try:
        answer = msgspec.json.decode(body)
    except JSON_ERRORS as error:
        raise Rejected(Reason.INVALID_JSON, str(error)) from None
    rows = answer.get("backlinks") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise Rejected(Reason.INVALID_VALUE, "an answer without a list of backlinks")
    instants = (_instant(row, sorted_by) for row in rows)
    return Page(len(rows), [instant for instant in instants if instant is not None])


def _instant(row: Any, column: str) -> datetime | None:
    """Return when a row says it was seen; None for one that can't be read, which becomes a dead letter by itself."""
    said = row.get(column) if isinstance(row, dict) else None
    try:
        return instant_of(said) if isinstance(said, str) else None
    except ValueError:
        return None
