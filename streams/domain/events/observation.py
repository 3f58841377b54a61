"""Turns a link event into a `LinkObservation`, for the worker and the backtest alike."""

import sys
from functools import lru_cache
from typing import Final, Literal

from flatline.domain.events.event_traits import flags_and_traits_of
from flatline.domain.policy.ignore import BY_DEFAULT, Ignored
from flatline.domain.state import link
from flatline.domain.state.article import LinkObservation
from flatline.domain.state.link import Effect, rel_flags
from flatline.domain.time import (
    DAY_MS,
    EARLIEST_MS,
    LATEST_MS,
    check_record_time,
    check_stated_times,
    clamped_ms,
    stated_ms,
    to_ms,
)
from flatline.domain.urls.canonical import article_key
from flatline.domain.urls.fingerprints import lists_others, referrer
from flatline.schema.link_event import LinkEvent
from flatline.schema.lost_reason import known_reason

REMEMBERED_BYTES_MAX: Final = 64 << 20
REASONS_REMEMBERED_MAX: Final = 1_000
SEEN_WITHIN_MS: Final = DAY_MS
"""A link that was seen so soon after it appeared is taken to have looked like that then: a second time takes room."""
_ENTRY_BYTES: Final = 128  # of the table, for each key

NotApplied = Literal[Effect.IGNORED, Effect.SUSPECTED]
"""What an event does that its article takes nothing from."""


class ArticleKeys(dict[str, bytes]):
    """Article keys by the URLs as events spell them, remembered up to REMEMBERED_BYTES_MAX.

    Looking up a URL that is not remembered canonicalises it, or raises `Rejected`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bytes = 0

    def __missing__(self, url_to: str) -> bytes:
        key = article_key(url_to, field="url_to")
        self._bytes += sys.getsizeof(url_to) + sys.getsizeof(key) + _ENTRY_BYTES
        if self._bytes > REMEMBERED_BYTES_MAX:
            self.clear()
            self._bytes = 0
        self[url_to] = key
        return key


def observation_of(
    event: LinkEvent, *, recorded_ms: int, keys: ArticleKeys, ignored: Ignored | None = None
) -> LinkObservation | NotApplied:
    """Return what a link event of a record written at ``recorded_ms`` says of its link, unless it changes nothing.

    Those are events that are ``ignored`` (by default links from the article's own site), and suspicions, as which count
    losses on pages that list others: from there a link wanders off.

    Raise `Rejected` for URLs that can't be read, for times before the web, and for a record without a possible time of
    its own.
    """
    if ignored is not None and ignored.covers(event):
        return Effect.IGNORED
    page, domain = referrer(event.url_from)
    article = keys[event.url_to]
    if (ignored or BY_DEFAULT).covers_own(article, page, domain):
        return Effect.IGNORED
    check_stated_times(event)
    at_ms = stated_ms(event, recorded_ms=recorded_ms)
    is_clamped = not EARLIEST_MS <= at_ms <= recorded_ms <= LATEST_MS
    if is_clamped:
        check_record_time(recorded_ms)
        at_ms = clamped_ms(at_ms, recorded_ms=recorded_ms)
    if event.is_suspicion or (event.change == "lost" and lists_others(event.url_from)):
        return Effect.SUSPECTED
    return LinkObservation(
        article,
        page,
        domain,
        event.change == "gained",
        at_ms,
        _flags_and_traits(event),
        event.source,
        is_clamped,
        0 if event.observed_at is None or event.occurred_at is None else _looked_ms(event, at_ms, recorded_ms),
        link.NOT_KNOWN if event.lost_reason is None or event.change == "gained" else _reason_code(event.lost_reason),
        bool(event.flags) and "floor" in event.flags and event.change == "gained",
    )


@lru_cache(maxsize=REASONS_REMEMBERED_MAX)
def _reason_code(reason: str) -> int:
    return link.lost_reason_code(known_reason(reason))


def _looked_ms(event: LinkEvent, at_ms: int, recorded_ms: int) -> int:
    """Return when the link looked as the event says, where that is long after the event; else 0.

    Whoever reports a link once more, with the day on which it appeared, says how it looks now.
    """
    observed_ms = clamped_ms(to_ms(event.observed_at), recorded_ms=recorded_ms) if event.observed_at else 0
    return observed_ms if observed_ms > at_ms + SEEN_WITHIN_MS else 0


def _flags_and_traits(event: LinkEvent) -> int:
    """Return what `Segment.apply` takes as such; a loss says nothing of the link's traits."""
    flags_and_traits = link.ORGANIC if event.discovery == "link_found" else 0
    if event.change == "gained":
        flags_and_traits |= flags_and_traits_of(event)
        if event.rel is not None:
            flags_and_traits |= rel_flags(event.rel)
    return flags_and_traits
