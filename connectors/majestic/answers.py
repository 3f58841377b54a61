"""Pages of Majestic's answers, and its errors. Links are read by connectors/vendors."""

from typing import Any, Final, NamedTuple

from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.fetching.outcomes import Action
from flatline_connectors.vendors.answers import json_of, json_or_none
from flatline_connectors.vendors.passes import page_digest
from flatline_connectors.vendors.requests import VendorError

FORMAT: Final = "majestic-backlinks"
_OK: Final = "OK"


class Page(NamedTuple):
    """``total``: how many rows there are, if the answer says so. ``digest``: by `page_digest`.

    ``charged``: the retrieval units that it cost, if it says so.
    """

    rows: int
    total: int | None
    digest: str
    charged: int | None


def read_page(body: bytes) -> Page:
    """Return what a page is. Raise `Rejected` for an answer that is none."""
    answer = json_of(body)
    table = _member(_member(answer, "DataTables"), "BackLinks")
    rows = _member(table, "Data")
    if not isinstance(rows, list):
        raise Rejected(Reason.INVALID_VALUE, "an answer without a list DataTables.BackLinks.Data")
    total = _count(_member(_member(table, "Headers"), "TotalLines"))
    return Page(len(rows), total, page_digest(rows), _count(_member(answer, "ChargedRetrievalResUnits")))


def read_error(body: bytes) -> VendorError | None:
    """Return the error in an answer. Nobody has a list of the codes; only one about the key is no matter of time."""
    answer = json_or_none(body)
    code = _member(answer, "Code")
    if code is None or code == _OK:
        return None
    words = f"{answer.get('ErrorMessage') or answer.get('FullError') or ''} ({code})"
    is_about_the_key = "apikey" in words.lower().replace(" ", "")
    return VendorError(words, Action.STOP if is_about_the_key else None)


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _count(said: Any) -> int | None:
    """Return a number that may come as a text."""
    return int(said) if str(said).isdecimal() else None
