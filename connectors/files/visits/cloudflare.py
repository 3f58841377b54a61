"""Cloudflare Logpush, data set ``http_requests``: one JSON object a line.

https://developers.cloudflare.com/logs/logpush/logpush-job/datasets/zone/http_requests/. Which fields there are, and
how times are written, is a setting of the job.
"""

from typing import Any, Final

import msgspec

from flatline.schema.codec import JSON_ERRORS
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.files.exports.row import Skipped
from flatline_connectors.files.visits.requests import BOT, NO_PAGE, why_no_visit
from flatline_connectors.files.visits.visit import Visit, day_of_timestamp

_MACHINES: Final = frozenset({"searchEngine", "monitoringService", "securityScanner", "scan", "backupService"})
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})


class _Request(msgspec.Struct, rename="pascal"):
    client_request_method: str
    edge_response_status: int
    edge_start_timestamp: Any
    client_request_host: str | None = None
    client_request_path: str | None = None
    client_request_uri: str | None = msgspec.field(default=None, name="ClientRequestURI")
    client_request_referer: str | None = None
    client_request_user_agent: str | None = None
    client_ip_class: str | None = msgspec.field(default=None, name="ClientIPClass")
    edge_response_content_type: str | None = None


_decode: Final = msgspec.json.Decoder(_Request).decode


def visit_of(line: bytes) -> Visit | Skipped:
    """Return the visit that a line tells of, on its UTC day. Raise `Rejected`, which quotes nothing of the line."""
    try:
        request = _decode(line)
    except msgspec.ValidationError as error:
        raise Rejected(Reason.WRONG_TYPE, str(error)) from None
    except JSON_ERRORS:
        raise Rejected(Reason.INVALID_JSON, "the line is not JSON, or cut off") from None
    # The one with the query first: it may be what tells articles apart.
    path = request.client_request_uri or request.client_request_path
    if path is None:
        raise Rejected(Reason.MISSING_FIELD, "neither ClientRequestURI nor ClientRequestPath")
    referrer = request.client_request_referer or ""
    why = why_no_visit(
        method=request.client_request_method,
        status=request.edge_response_status,
        path=path,
        agent=request.client_request_user_agent or "",
        referrer=referrer,
    )
    if why is not None:
        return why
    if request.client_ip_class in _MACHINES:
        return BOT
    content_type = (request.edge_response_content_type or "").partition(";")[0].strip().lower()
    if content_type and content_type not in _HTML:
        return NO_PAGE
    return Visit(request.client_request_host or "", path, referrer, day_of_timestamp(request.edge_start_timestamp))
