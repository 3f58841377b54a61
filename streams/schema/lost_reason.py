"""Why a link is lost, in the words of the contract, and which of them only say that nobody could look."""

import re
from typing import Final

LOST_REASON_PHRASES: Final = {
    "removed": "the link was taken out of the page",
    "page_gone": "the page is gone",
    "page_error": "the page has failed for long",
    "page_redirected": "the page leads elsewhere",
    "noindex": "the page asks not to be indexed",
    "not_canonical": "the page names another one as the original",
    "redirect_lost": "a redirect on the way is gone",
    "retargeted": "the page links to another article of yours",
    "domain_gone": "the whole site is gone",
    "retracted": "it was reported by mistake",
}
"""Each reason of a loss as a main clause.

New ones are added at the end: the workers keep the place of a reason in their state.
"""

LOST_REASONS: Final = tuple(LOST_REASON_PHRASES)
"""Reasons of a loss. Any other word is one, too, unless it says that the link was not seen."""

_SPELLINGS: Final = {"404": "page_gone", "410": "page_gone", "nxdomain": "domain_gone"}

NOT_SEEN_REASONS: Final = frozenset(
    {
        "timeout",
        "unreachable",
        "server_error",
        "forbidden",
        "blocked",
        "robots",
        "rate_limited",
        "vendor_unsure",
        # As fetchers and vendors spell these.
        "timed_out",
        "connection_error",
        "connection_refused",
        "connection_reset",
        "dns_error",
        "tls_error",
        "ssl_error",
        "fetch_error",
        "fetch_failed",
        "service_unavailable",
        "access_denied",
        "captcha",
        "robots_txt",
        "robots_disallowed",
        "robotsdisallowed",
        "too_many_requests",
    }
)
"""Reasons that say nothing of the link: whoever looked could not see the page."""

_STATUS: Final = r"(?:(?:http|status|code|error)_)*"
_NO_ANSWER: Final = re.compile(_STATUS + r"(?:401|403|408|425|429|5(?:\d\d|xx))(?:_[a-z_]+)?")
"""HTTP statuses of a page that can't be read now: ``503``, ``http_403``, ``5xx``, ``504_gateway_timeout``."""
_GONE: Final = re.compile(_STATUS + r"(404|410)(?:_[a-z_]+)?")


def is_not_seen(reason: str) -> bool:
    """Whether a reason says only that the page could not be read. Case, spaces and punctuation do not count.

    >>> is_not_seen("HTTP 503"), is_not_seen("Timed out"), is_not_seen("removed"), is_not_seen("404")
    (True, True, False, False)
    """
    word = _word(reason)
    return word in NOT_SEEN_REASONS or _NO_ANSWER.fullmatch(word) is not None


def known_reason(reason: str) -> str | None:
    """Return which of LOST_REASONS a word means; None for any other. Case, spaces and punctuation do not count.

    >>> known_reason("Page gone"), known_reason("HTTP 404 Not Found"), known_reason("a word of a vendor's own")
    ('page_gone', 'page_gone', None)
    """
    word = _word(reason)
    if word in LOST_REASON_PHRASES:
        return word
    status = _GONE.fullmatch(word)
    return _SPELLINGS.get(status[1] if status else word)


def _word(reason: str) -> str:
    return re.sub(r"[\W_]+", "_", reason.lower()).strip("_")
