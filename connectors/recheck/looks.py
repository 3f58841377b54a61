"""From looks to a verdict: what needs a second look gets one, and what can't be read is asked for less and less."""

from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

from flatline_connectors.recheck.judging import Judgement

SECOND_LOOK: Final = timedelta(hours=24)
DOMAIN_GONE: Final = timedelta(days=9)
DOMAIN_LOOKS: Final = 3
FAILING: Final = timedelta(days=14)
FAILING_LOOKS: Final = 5
SETTLED: Final = timedelta(hours=12)
"""So long a link is left alone that was judged, until the read model surely knows."""
UNREADABLE_LOOKS: Final = 5
"""After so many looks in a row at a page that can't be read, it counts as one that can't be checked."""

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_AFTER_FAULT: Final = (_HOUR, 6 * _HOUR, _DAY, 3 * _DAY)
_AFTER_WALL: Final = (_DAY, 3 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY)

Verdict = Literal["live", "lost", "suspect", "unknown"]


class Look(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the looks at one link have come to so far.

    ``next_at``        when to look again, at the earliest
    ``why``            of the last look; empty: it was judged
    ``missing_since``  since when each look that could read the page missed the link, and ``missing`` of them
    ``unread``         looks in a row that could not read the page
    ``failing_since``  since when each look met an error of the server (5xx), and ``failures`` of them
    """

    next_at: datetime
    why: str = ""
    missing_since: datetime | None = None
    missing: int = 0
    is_domain: bool = False
    unread: int = 0
    failing_since: datetime | None = None
    failures: int = 0


def after_look(judgement: Judgement, before: Look | None, now: datetime) -> tuple[Verdict, str, Look]:
    """Return the verdict after a look, its reason, and what is known from now on."""
    settled = Look(next_at=now + SETTLED)
    match judgement.sight:
        case "live":
            return "live", "", settled
        case "gone":
            return "lost", judgement.why, settled
        case "missing":
            look = _missing_again(judgement, before, now)
            return ("lost", judgement.why, settled) if _is_confirmed(look, now) else ("suspect", judgement.why, look)
        case "unknown":
            look = _unread_again(judgement, before, now)
            if look.failures >= FAILING_LOOKS and look.failing_since and now - look.failing_since >= FAILING:
                return "lost", "page_error", settled
            return "unknown", judgement.why, look


def _missing_again(judgement: Judgement, before: Look | None, now: datetime) -> Look:
    is_domain = judgement.why == "domain_gone"
    since, missing = now, 0
    if before is not None and before.missing_since is not None and before.is_domain == is_domain:
        since, missing = before.missing_since, before.missing
    missing += 1
    if is_domain:
        next_at = max(now + SECOND_LOOK, since + DOMAIN_GONE * missing / (DOMAIN_LOOKS - 1))
    else:
        next_at = max(now + _HOUR, since + SECOND_LOOK)
    return Look(next_at=next_at, why=judgement.why, missing_since=since, missing=missing, is_domain=is_domain)


def _is_confirmed(look: Look, now: datetime) -> bool:
    assert look.missing_since is not None
    looks, length = (DOMAIN_LOOKS, DOMAIN_GONE) if look.is_domain else (2, SECOND_LOOK)
    return look.missing >= looks and now - look.missing_since >= length


def _unread_again(judgement: Judgement, before: Look | None, now: datetime) -> Look:
    unread = (before.unread if before else 0) + 1
    pauses = _AFTER_FAULT if judgement.why in ("unreachable", "rate_limited") else _AFTER_WALL
    pause = pauses[min(unread, len(pauses)) - 1]
    if judgement.retry_after_s is not None:
        asked = timedelta(seconds=judgement.retry_after_s)
        pause = asked if unread == 1 else max(asked, pause)
    failing_since, failures = None, 0
    if judgement.is_server_error:
        failing_since = (before.failing_since if before else None) or now
        failures = (before.failures if before else 0) + 1
    return Look(
        next_at=now + pause,
        why=judgement.why,
        missing_since=before.missing_since if before else None,
        missing=before.missing if before else 0,
        is_domain=before.is_domain if before else False,
        unread=unread,
        failing_since=failing_since,
        failures=failures,
    )
