"""Why a link is lost, in the words of the contract, and which of them only say that nobody could look."""

import re
from typing import Final

LOST_REASONS: Final = (
    "removed",
    "page_gone",
    "page_error",
    "page_redirected",
    "noindex",
    "not_canonical",
    "redirect_lost",
    "retargeted",
    "domain_gone",
    "retracted",
)
"""Reasons of a loss. Any other word is one, too, unless it says that the link was not seen."""

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

_NO_ANSWER: Final = re.compile(r"(?:(?:http|status|code|error)_)*(?:401|403|408|425|429|5(?:\d\d|xx))(?:_[a-z_]+)?")
"""HTTP statuses of a page that can't be read now: ``503``, ``http_403``, ``5xx``, ``504_gateway_timeout``."""


def is_not_seen(reason: str) -> bool:
    """Whether a reason says only that the page could not be read. Case, spaces and punctuation do not count.

    >>> is_not_seen("HTTP 503"), is_not_seen("Timed out"), is_not_seen("removed"), is_not_seen("404")
    (True, True, False, False)
    """
    word = re.sub(r"[\W_]+", "_", reason.lower()).strip("_")
    return word in NOT_SEEN_REASONS or _NO_ANSWER.fullmatch(word) is not None
