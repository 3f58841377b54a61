"""What the ingest answers: one body for a batch, one for everything that went wrong."""

import math
from dataclasses import dataclass

import orjson
from aiohttp import web

from streams.schema.rejection import Rejected


@dataclass(frozen=True)
class RejectedEvent:
    """An event of a batch that was not taken; the first one has index 0."""

    index: int
    rejected: Rejected


class Refused(Exception):
    """A request that is answered with an error, whatever was in it."""

    def __init__(self, status: int, code: str, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s


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


def error(refused: Refused) -> web.Response:
    """Answer with the error body."""
    response = _json(refused.status, {"error": {"code": refused.code, "message": str(refused)}})
    if refused.retry_after_s is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(refused.retry_after_s)))
    if refused.status == web.HTTPUnauthorized.status_code:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _json(status: int, body: dict[str, object]) -> web.Response:
    encoded = orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)
    return web.Response(status=status, body=encoded, content_type="application/json")
