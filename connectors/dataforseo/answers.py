"""Pages of DataForSEO's answers, what they cost, and their errors. Links are read by connectors/vendors."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final, NamedTuple

from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.fetching.outcomes import Action
from flatline_connectors.vendors.answers import instants_of, json_of, json_or_none
from flatline_connectors.vendors.requests import THROTTLED_S, VendorError

FORMAT: Final = "dataforseo"
_OK: Final = 20_000
# https://docs.dataforseo.com/v3/appendix/errors
_ACCOUNT: Final = frozenset({40_100, 40_104})
_THROTTLED: Final = frozenset({40_202, 40_209})
_WRONG_QUESTION: Final = range(40_500, 40_600)
_FAULT: Final = range(50_000, 60_000)
_TOKEN_CHARACTERS_MAX: Final = 16_384


class Page(NamedTuple):
    """A page of rows, the oldest first.

    ``seen``        the instants by which the rows are sorted; rows without one are not among them
    ``next_token``  what the next page is asked for with; empty: nobody says that there is one
    """

    rows: int
    seen: Sequence[datetime]
    next_token: str

    @property
    def is_sorted(self) -> bool:
        """Whether the oldest come first, as they were asked for."""
        return all(one <= other for one, other in pairwise(self.seen))


def read_page(body: bytes, *, sorted_by: str) -> Page:
    """Return what a page is. Raise `Rejected` for an answer that is none."""
    answer = json_of(body)
    tasks = answer.get("tasks") if isinstance(answer, dict) else None
    task = tasks[0] if isinstance(tasks, list) and len(tasks) == 1 else None
    if not isinstance(task, dict) or "result" not in task:
        raise Rejected(Reason.INVALID_VALUE, "an answer without the result of one task")
    result = task["result"] or [{}]  # null where nothing is known
    found = result[0] if isinstance(result, list) else None
    rows = (found.get("items") or []) if isinstance(found, dict) else None
    token = (found.get("search_after_token") or "") if isinstance(found, dict) else None
    if not isinstance(rows, list):
        raise Rejected(Reason.INVALID_VALUE, "an answer without a list of items")
    if not isinstance(token, str) or len(token) > _TOKEN_CHARACTERS_MAX:
        raise Rejected(Reason.INVALID_VALUE, "an answer whose search_after_token is none")
    return Page(len(rows), instants_of(rows, sorted_by), token)


def usd_charged(body: bytes) -> float | None:
    """Return what an answer cost, as it says itself; None if it does not."""
    answer = json_or_none(body)
    said = answer.get("cost") if isinstance(answer, dict) else None
    return float(said) if isinstance(said, int | float) and 0 <= said < _OK else None


def read_error(body: bytes) -> VendorError | None:
    """Return the error in an answer: of the whole, or of its task."""
    answer = json_or_none(body)
    for said in _statuses(answer):
        code = said.get("status_code", _OK)
        if code != _OK:
            return VendorError(f"{said.get('status_message', '')} ({code})", *_remedy(code))
    return None


def _statuses(answer: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(answer, dict):
        return
    yield answer
    tasks = answer.get("tasks")
    yield from (task for task in (tasks if isinstance(tasks, list) else []) if isinstance(task, dict))


def _remedy(code: Any) -> tuple[Action | None, float | None]:
    """Return what to do about an error, and how long to wait before that. Money may come by the next run."""
    if code in _THROTTLED:
        return Action.RETRY, THROTTLED_S
    if code in _ACCOUNT or code in _WRONG_QUESTION:
        return Action.STOP, None
    return (Action.RETRY if code in _FAULT else None), None
