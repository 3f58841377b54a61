"""The possible outcomes of a fetch, and what a caller should do about each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Final


@unique
class Action(StrEnum):
    """What a caller should do about an outcome."""

    USE = "use"
    RETRY = "retry"  # soon: a fault that passes
    WAIT = "wait"  # as long as the server says, or long
    SKIP = "skip"  # this page; others may do
    STOP = "stop"  # asking for this page at all


@unique
class Outcome(StrEnum):
    """How a fetch ended."""

    FETCHED = "fetched"
    NOT_MODIFIED = "not_modified"
    GONE = "gone"
    NOT_FOUND = "not_found"
    DENIED = "denied"
    REFUSED = "refused"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    ROBOTS_DISALLOWED = "robots_disallowed"
    ROBOTS_UNREACHABLE = "robots_unreachable"
    INVALID_URL = "invalid_url"
    FORBIDDEN_ADDRESS = "forbidden_address"
    UNKNOWN_HOST = "unknown_host"
    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls_failed"
    TIMED_OUT = "timed_out"
    BROKEN = "broken"
    TOO_LARGE = "too_large"
    WRONG_TYPE = "wrong_type"
    UNDECODABLE = "undecodable"
    TOO_MANY_REDIRECTS = "too_many_redirects"

    @property
    def action(self) -> Action:
        """What to do about it."""
        return _ACTIONS[self]


_ACTIONS: Final = {
    Outcome.FETCHED: Action.USE,
    Outcome.NOT_MODIFIED: Action.USE,
    Outcome.GONE: Action.STOP,
    Outcome.NOT_FOUND: Action.SKIP,
    Outcome.DENIED: Action.SKIP,
    Outcome.REFUSED: Action.SKIP,
    Outcome.RATE_LIMITED: Action.WAIT,
    Outcome.SERVER_ERROR: Action.RETRY,
    Outcome.ROBOTS_DISALLOWED: Action.STOP,
    Outcome.ROBOTS_UNREACHABLE: Action.WAIT,
    Outcome.INVALID_URL: Action.STOP,
    Outcome.FORBIDDEN_ADDRESS: Action.STOP,
    Outcome.UNKNOWN_HOST: Action.RETRY,
    Outcome.UNREACHABLE: Action.RETRY,
    Outcome.TLS_FAILED: Action.SKIP,
    Outcome.TIMED_OUT: Action.RETRY,
    Outcome.BROKEN: Action.RETRY,
    Outcome.TOO_LARGE: Action.SKIP,
    Outcome.WRONG_TYPE: Action.SKIP,
    Outcome.UNDECODABLE: Action.SKIP,
    Outcome.TOO_MANY_REDIRECTS: Action.SKIP,
}

_SERVER_ERRORS: Final = 500
_CLIENT_ERRORS: Final = 400
_OF_STATUS: Final = {
    200: Outcome.FETCHED,
    203: Outcome.FETCHED,
    304: Outcome.NOT_MODIFIED,
    401: Outcome.DENIED,
    403: Outcome.DENIED,
    404: Outcome.NOT_FOUND,
    407: Outcome.DENIED,
    408: Outcome.SERVER_ERROR,
    410: Outcome.GONE,
    420: Outcome.RATE_LIMITED,
    425: Outcome.SERVER_ERROR,
    429: Outcome.RATE_LIMITED,
    451: Outcome.DENIED,
}


def of_status(status: int) -> Outcome:
    """Return what an answer with this status is, redirects apart. Any number has an outcome."""
    if known := _OF_STATUS.get(status):
        return known
    if status >= _SERVER_ERRORS:
        return Outcome.SERVER_ERROR
    return Outcome.REFUSED if status >= _CLIENT_ERRORS else Outcome.BROKEN


class Failed(Exception):
    """A fetch ended without a page. ``status`` is the HTTP status, if there was an answer; ``body`` what it said."""

    def __init__(
        self,
        outcome: Outcome,
        detail: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        body: bytes = b"",
    ) -> None:
        super().__init__(f"{outcome}: {detail}")
        self.outcome = outcome
        self.detail = detail
        self.status = status
        self.retry_after_s = retry_after_s
        self.body = body


@dataclass(frozen=True)
class Validators:
    """What a server gave to recognise a version of a page by (RFC 9110 §8.8); empty: nothing."""

    etag: str = ""
    last_modified: str = ""


NO_VALIDATORS: Final = Validators()


@dataclass(frozen=True)
class Fetched:
    """How the fetch of one URL ended. ``url`` is where the last request went; ``body`` is decoded.

    ``status``: the last HTTP status, None if no server answered. ``retry_after_s``: how long the server asks to be left
    alone. ``is_moved``: there were redirects, and each of them was permanent (301, 308). ``detail`` is for people.
    ``headers``: of a page that was fetched, whatever case their names are looked up in.
    """

    outcome: Outcome
    url: str
    status: int | None = None
    body: bytes = b""
    content_type: str = ""
    charset: str | None = None
    validators: Validators = NO_VALIDATORS
    retry_after_s: float | None = None
    is_moved: bool = False
    detail: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
