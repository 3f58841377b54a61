"""Pages of Moz's answers, and its errors. Links are read by connectors/vendors."""

from typing import Final, NamedTuple

import msgspec

from flatline.schema.codec import JSON_ERRORS
from flatline.schema.rejection import Reason, Rejected
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
    try:
        answer = msgspec.json.decode(body)
    except JSON_ERRORS as error:
        raise Rejected(Reason.INVALID_JSON, str(error)) from None
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
    try:
        answer = msgspec.json.decode(body)
    except JSON_ERRORS:
        return None
    if not isinstance(answer, dict) or "results" in answer:
        return None
    return next((VendorError(str(answer[name])) for name in _WORDS if answer.get(name)), None)
