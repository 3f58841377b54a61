"""What the ingest answers: one body for a batch, one for everything that went wrong."""

import logging
import math
from dataclasses import dataclass
from http import HTTPStatus

import orjson
from aiohttp import web

from flatline.http import SECURITY_HEADERS
from flatline.schema.rejection import Rejected

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RejectedEvent:
    """An event of a batch that was not taken; the first one has index 0."""

    index: int
    rejected: Rejected


class Refused(Exception):
    """A request that is answered with an error, whatever was in it."""

    def __init__(
        self, status: int, code: str, message: str, *, retry_after_s: float | None = None, allow: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers: dict[str, str] = {}
        if retry_after_s is not None:
            self.headers["Retry-After"] = str(max(1, math.ceil(retry_after_s)))
        if allow is not None:
            self.headers["Allow"] = allow
        if status == web.HTTPUnauthorized.status_code:
            self.headers["WWW-Authenticate"] = "Bearer"


def refusal_of(error: Exception, request: web.Request, *, server: str) -> Refused:
    """Return the refusal that answers an error of a handler. Whatever nobody foresaw is logged."""
    match error:
        case Refused():
            return error
        case web.HTTPMethodNotAllowed():
            message = f"Use {' or '.join(sorted(error.allowed_methods))}."
            return Refused(405, "method_not_allowed", message, allow=error.headers["Allow"])
        case web.HTTPNotFound():
            return Refused(404, "not_found", error.reason)
        case web.HTTPException():
            return Refused(error.status, "bad_request", error.reason)
    _log.error("%s %s failed", request.method, request.path, exc_info=error)
    return Refused(500, "internal", f"{server} has a bug; its log has the details.")


def batch(accepted: int, rejected: list[RejectedEvent]) -> web.Response:
    """Answer 200, or 422 if nothing was accepted and something rejected."""
    body = {
        "accepted": accepted,
        "rejected": [
            {"index": event.index, "reason": event.rejected.reason.value, "detail": event.rejected.detail}
            for event in rejected
        ],
    }
    return _json(422 if rejected and not accepted else 200, body)


def plain(status: int, body: dict[str, object]) -> web.Response:
    """Answer with a JSON object that is neither a batch's nor an error's."""
    return _json(status, body)


def error(refused: Refused) -> web.Response:
    """Answer with the error body."""
    response = _json(refused.status, _envelope(refused))
    response.headers.update(refused.headers)
    return response


def raw(refused: Refused) -> bytes:
    """Return the error as the last answer of a connection whose request nobody has read."""
    body = _encoded(_envelope(refused))
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **SECURITY_HEADERS,
        **refused.headers,
    }
    lines = [f"HTTP/1.1 {refused.status} {HTTPStatus(refused.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _envelope(refused: Refused) -> dict[str, object]:
    return {"error": {"code": refused.code, "message": str(refused)}}


def _encoded(body: dict[str, object]) -> bytes:
    return orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)


def _json(status: int, body: dict[str, object]) -> web.Response:
    return web.Response(status=status, body=_encoded(body), content_type="application/json")
