"""What vendors say when they refuse a request, in words for people and without the key."""

from typing import Final

import msgspec

from flatline_connectors.fetching.outcomes import Action, Fetched
from flatline_connectors.runtime.connector import PollFailed

_SAID_CHARACTERS_MAX: Final = 200


def refused_by_key(vendor: str, fetched: Fetched) -> PollFailed:
    """Return the failure of a key that is not accepted: somebody has to replace it."""
    return PollFailed(Action.STOP, f"{vendor} does not accept the key (HTTP status {fetched.status})")


def error_in(body: bytes, *, secret: str) -> str | None:
    """Return what an answer's member ``error`` says: a text, or an object with a ``message``; None: it has none.

    ``secret`` is left out: vendors may repeat what they were sent.
    """
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    error = answer.get("error") if isinstance(answer, dict) else None
    said = error.get("message", error) if isinstance(error, dict) else error
    if not said:
        return None
    return " ".join(str(said).replace(secret, "…").split())[:_SAID_CHARACTERS_MAX]
