"""Pages of Moz's answers, and its errors. Links are read by connectors/vendors."""

from typing import Final, NamedTuple

from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.vendors.answers import json_of, json_or_none
from flatline_connectors.vendors.passes import page_digest
from flatline_connectors.vendors.requests import VendorError, error_in

FORMAT: Final = "moz-api"
_TOKEN_CHARACTERS_MAX: Final = 4_096
_WORDS: Final = ("message", "error_message")


class Page(NamedTuple):
    """``next_token``: what the next page is asked for with; empty: there is none. ``digest``: by `page_digest`."""

    rows: int
    next_token: str
    digest: str = ""


def read_page(body: bytes) -> Page:
    """Return what a page is. Raise `Rejected` for an answer that is none."""
    answer = json_of(body)
    rows = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise Rejected(Reason.INVALID_VALUE, "an answer without a list of results")
    token = answer.get("next_token") or ""
    if not isinstance(token, str) or len(token) > _TOKEN_CHARACTERS_MAX:
        raise Rejected(Reason.INVALID_VALUE, "an answer whose next_token is none")
    return Page(len(rows), token if rows else "", page_digest(rows))


def read_error(body: bytes) -> VendorError | None:
    """Return the error in an answer: the member ``error``, or a message where results should be."""
    if (error := error_in(body)) is not None:
        return error
    answer = json_or_none(body)
    if not isinstance(answer, dict) or "results" in answer:
        return None
    return next((VendorError(str(answer[name])) for name in _WORDS if answer.get(name)), None)
