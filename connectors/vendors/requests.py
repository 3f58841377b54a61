"""Requests to a vendor's API: what they may cost is spent before, and a refusal is said in the vendor's words."""

from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple
from urllib.parse import quote, quote_plus

from flatline_connectors.errors import ConnectorError
from flatline_connectors.fetching.exchange import ApiRequest
from flatline_connectors.fetching.outcomes import Action, Fetched, Outcome
from flatline_connectors.runtime.connector import LETTER_BYTES, PollFailed, Resources, usable
from flatline_connectors.runtime.outcomes import BudgetExhausted
from flatline_connectors.vendors.answers import json_or_none

THROTTLED_S: Final = 20.0
"""How long to wait after 429 where the vendor does not say it: limits are of requests a second or a minute."""

_JSON: Final = frozenset({"application/json"})
_PAGE_BYTES_MAX: Final = 64 << 20
_SAID_CHARACTERS_MAX: Final = 200


class BudgetTooSmall(ConnectorError):
    """A budget of units does not allow a single page, so it would wait for ever."""

    remedy = "Raise units in the budget of its section, or lower its rows."


class Refused(PollFailed):
    """A vendor said why it does not answer. STOP: it does not understand the question. SKIP: there is no such page."""


class VendorError(NamedTuple):
    """An error in an answer, whatever its HTTP status.

    ``action``         what to do about it; None: as the status says
    ``retry_after_s``  how long to wait before that, if it matters
    """

    words: str
    action: Action | None = None
    retry_after_s: float | None = None


def basic_authorization(credentials: str) -> str:
    """Return the header for ``name:password`` (RFC 7617)."""
    return f"Basic {b64encode(credentials.encode()).decode()}"


def without(secret: str, text: str) -> str:
    """Return a text without a secret, or the password of ``name:password``, as it is or as requests have it."""
    plain = {secret, secret.partition(":")[2] or secret}
    in_addresses = {quoted(each, safe="") for each in plain for quoted in (quote, quote_plus)}
    forms = plain | in_addresses | {b64encode(secret.encode()).decode()}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "…")
    return text


def letter_of(body: bytes, secret: str) -> bytes:
    """Return the part of an answer that its dead letter has, without the secret."""
    return without(secret, body.decode(errors="replace")).encode()[:LETTER_BYTES]


def error_in(body: bytes) -> VendorError | None:
    """Return the member ``error`` of an answer: a text, or an object with a ``message``; None: it has none."""
    answer = json_or_none(body)
    error = (answer.get("error") or None) if isinstance(answer, dict) else None
    if error is None:
        return None
    if not isinstance(error, dict):
        return VendorError(str(error))
    return VendorError(str(error.get("message", error)), Action.RETRY if error.get("retryable") is True else None)


async def ask(
    resources: Resources,
    url: str,
    request: ApiRequest,
    *,
    vendor: str,
    secret: str,
    units: int = 0,
    units_charged: Callable[[Fetched], int | None] = lambda _: None,
    read_error: Callable[[bytes], VendorError | None] = error_in,
) -> Fetched:
    """Return an answer that is no error. Raise `PollFailed`, of errors that are explained `Refused`.

    Raise `BudgetExhausted`.

    ``secret``: never repeated, although vendors may repeat it. ``units``: what the answer costs at most; they are spent
    before. ``units_charged``: what an answer did cost; None: it does not say. A refusal costs nothing, and a request
    that is never answered counts as if it had cost the most. ``read_error``: finds the error in an answer.
    """
    if units:
        await resources.spend("units", units)
    fetched = await resources.fetcher.fetch(url, accepted=_JSON, bytes_max=_PAGE_BYTES_MAX, request=request)
    charged = units_charged(fetched) if fetched.outcome is Outcome.FETCHED else None if fetched.status is None else 0
    if units and charged is not None:
        with suppress(BudgetExhausted):  # it is paid for; the next request is the one that has to wait
            await resources.spend("units", charged - units)
    if fetched.status == 401:  # noqa: PLR2004
        raise PollFailed(Action.STOP, f"{vendor} does not accept the key (HTTP status 401)")
    if fetched.outcome is Outcome.RATE_LIMITED:
        wait_s = fetched.retry_after_s
        action = Action.RETRY if wait_s is None else Action.WAIT
        detail = f"{vendor} asks for a pause (HTTP status 429)"
        raise PollFailed(action, detail, retry_after_s=THROTTLED_S if wait_s is None else wait_s)
    error = read_error(fetched.body)
    if error is not None:
        words = " ".join(without(secret, error.words).split())[:_SAID_CHARACTERS_MAX]
        detail = f"{vendor} answered with HTTP status {fetched.status}: {words}"
        raise Refused(_action(fetched, error), detail, retry_after_s=error.retry_after_s)
    return usable(fetched)


def _action(fetched: Fetched, error: VendorError) -> Action:
    """Return what to do about an explained error: units come back by themselves, wrong questions do not."""
    if error.action is not None:
        return error.action
    if fetched.outcome is Outcome.SERVER_ERROR:
        return Action.RETRY
    return Action.STOP if fetched.status == 400 else Action.WAIT  # noqa: PLR2004
