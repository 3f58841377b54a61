"""Pages of Semrush's answers: their rows, and whether more of them follow."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final, NamedTuple

import msgspec

from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.files.exports.dates import instant_of
from flatline_connectors.vendors.answers import json_of

FORMAT: Final = "semrush-backlinks"
FIELDS: Final = (
    "source_url",
    "target_url",
    "anchor",
    "image_alt",
    "page_score",
    "is_new",
    "is_lost",
    "is_nofollow",
    "is_sponsored",
    "is_ugc",
    "is_image",
    "is_form",
    "is_frame",
    "is_sitewide_main",
    "lang",
    "redirect_url",
    "first_seen_at",
    "last_seen_at",
)


class Page(NamedTuple):
    """A page of rows, the newest first.

    ``seen``   the instants by which the rows are sorted; rows without one are not among them
    ``limit``  how many rows a page has at most, if the answer says so
    ``total``  how many rows there are, if the answer says so
    """

    rows: Sequence[Any]
    seen: Sequence[datetime]
    limit: int | None
    total: int | None

    @property
    def is_sorted(self) -> bool:
        """Whether the newest come first, as they were asked for."""
        return all(one >= other for one, other in pairwise(self.seen))

    @property
    def body(self) -> bytes:
        """The rows alone, all with the same members: the API is young, and may leave some out."""
        named = [{field: row.get(field) for field in FIELDS} if isinstance(row, dict) else row for row in self.rows]
        return msgspec.json.encode({"data": named})


def read_page(body: bytes, *, sorted_by: str) -> Page:
    """Return what a page is. Raise `Rejected` for an answer that is none."""
    answer = json_of(body)
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise Rejected(Reason.INVALID_VALUE, "an answer without a list of data")
    meta = answer.get("meta")
    said = meta if isinstance(meta, dict) else {}
    instants = (_instant(row, sorted_by) for row in rows)
    seen = [instant for instant in instants if instant is not None]
    return Page(rows, seen, _count(said.get("limit")), _count(said.get("total")))


def _instant(row: Any, column: str) -> datetime | None:
    said = row.get(column) if isinstance(row, dict) else None
    try:
        return instant_of(str(said)) if said is not None else None
    except ValueError:
        return None


def _count(said: Any) -> int | None:
    """Return a number that may come as a text."""
    return int(said) if str(said).isdecimal() else None
