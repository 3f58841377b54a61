"""Requests to a vendor's API: what they may cost is spent before, and a refusal is said in the vendor's words."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import msgspec

from flatline.schema.codec import JSON_ERRORS
from flatline_connectors.errors import ConnectorError
from flatline_connectors.fetching.exchange import ApiRequest
from flatline_connectors.fetching.outcomes import Action, Fetched, Outcome
from flatline_connectors.runtime.connector import PollFailed, Resources, usable
from flatline_connectors.runtime.outcomes import BudgetExhausted

THROTTLED_S: Final = 20.0
"""How long to wait after 429 where the vendor does not say it: limits are of requests a second or a minute."""

_JSON: Final = frozenset({"application/json"})
_PAGE_BYTES_MAX: Final = 64 << 20
_SAID_CHARACTERS_MAX: Final = 200


class BudgetTooSmall(ConnectorError):
    """A budget of units does not allow a single page, so it would wait for ever."""

    remedy = "Raise units in the budget of its section, or lower its rows."


async def ask(
    resources: Resources,
    url: str,
    request: ApiRequest,
    *,
    vendor: str,
    secret: str,
    units: int,
    units_charged: Callable[[Fetched], int | None],
) -> Fetched:
    """Return an answer that is no error. Raise `PollFailed` and `BudgetExhausted`.

    ``secret``: never repeated, although vendors may repeat it. ``units``: what the answer costs at most; they are spent
    before. ``units_charged``: what an answer did cost; None: it does not say. A refusal costs nothing, and a request
    that is never answered counts as if it had cost the most.
    """
    await resources.spend("units", units)
    fetched = await resources.fetcher.fetch(url, accepted=_JSON, bytes_max=_PAGE_BYTES_MAX, request=request)
    charged = units_charged(fetched) if fetched.outcome is Outcome.FETCHED else None if fetched.status is None else 0
    if charged is not None:
        with suppress(BudgetExhausted):  # it is paid for; the next request is the one that has to wait
            await resources.spend("units", charged - units)
    if fetched.status == 401:  # noqa: PLR2004
        raise PollFailed(Action.STOP, f"{vendor} does not accept the key (HTTP status 401)")
    if fetched.outcome is Outcome.RATE_LIMITED:
        wait_s = fetched.retry_after_s
        action = Action.RETRY if wait_s is None else Action.WAIT
        detail = f"{vendor} asks for a pause (HTTP status 429)"
        raise PollFailed(action, detail, retry_after_s=THROTTLED_S if wait_s is None else wait_s)
    error = error_in(fetched.body)
    if error is not None:
        said = error.get("message", error) if isinstance(error, dict) else error
        words = " ".join(str(said).replace(secret, "…").split())[:_SAID_CHARACTERS_MAX]
        raise PollFailed(_action(fetched, error), f"{vendor} answered with HTTP status {fetched.status}: {words}")
    return usable(fetched)


def error_in(body: bytes) -> Any:
    """Return the member ``error`` of an answer: a text, or an object with a ``message``; None: it has none."""
    try:
        answer = msgspec.json.decode(body)
    except JSON_ERRORS:
        return None
    return (answer.get("error") or None) if isinstance(answer, dict) else None


def _action(fetched: Fetched, error: Any) -> Action:
    """Return what to do about an explained error: units come back by themselves, wrong questions do not."""
    if fetched.outcome is Outcome.SERVER_ERROR or (isinstance(error, dict) and error.get("retryable") is True):
        return Action.RETRY
    return Action.STOP if fetched.status == 400 else Action.WAIT  # noqa: PLR2004
