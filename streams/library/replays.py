"""Explanations and backtests of link events: what `flatline explain --from` and `flatline backtest` do."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Final, NamedTuple

from flatline.backtest.explaining import explain_history
from flatline.backtest.histories import Histories
from flatline.backtest.report import BacktestReport, run
from flatline.domain.explanation.explained import Explanation
from flatline.domain.policy.policy import Policy
from flatline.domain.time import EARLIEST_MS, LATEST_MS, day_of
from flatline.domain.urls.canonical import article_key
from flatline.library.instants import ms_of
from flatline.schema import codec
from flatline.schema.link_event import LinkEvent

_DEFAULTS: Final = Policy()
_EPOCH: Final = date(1970, 1, 1)


class _Line(NamedTuple):
    number: int
    value: bytes


def explain(
    events: Iterable[LinkEvent],
    url: str,
    *,
    on: date | None = None,
    watched_since: datetime | None = None,
    links: int = 10,
    policy: Policy = _DEFAULTS,
) -> Explanation | None:
    """Return all that the verdict on an article rests on at the end of a UTC day, else of the newest event's.

    None where no link of it was known by then. ``links``: how many of the newest are explained one by one. Events
    without a time of their own are left out. Raises `Rejected` for a ``url`` that is none.
    """
    key = article_key(url, field="url")
    histories = _histories(events, policy, about=key)
    day = day_of(histories.end_ms) if on is None else (on - _EPOCH).days
    return explain_history(
        histories, key, policy, on_day=day, links=links, watched_since_ms=_watched_since_ms(watched_since)
    )


def run_backtest(
    events: Iterable[LinkEvent], *, watched_since: datetime | None = None, policy: Policy = _DEFAULTS
) -> BacktestReport:
    """Return which alerts would have come of these events, when, and how many were right.

    Raises `flatline.backtest.assessment.TooLittleHistoryError`.
    """
    histories = _histories(events, policy)
    return run(histories, histories, policy, watched_since_ms=_watched_since_ms(watched_since)).report


def _histories(events: Iterable[LinkEvent], policy: Policy, *, about: bytes | None = None) -> Histories:
    histories = Histories(about=about)
    histories.read_links("events", _lines(events), recorded_ms=LATEST_MS, ignored=policy.ignored)
    return histories


def _lines(events: Iterable[LinkEvent]) -> Iterator[_Line]:
    for number, event in enumerate(events, 1):
        yield _Line(number, codec.links.encode(event))


def _watched_since_ms(watched_since: datetime | None) -> int:
    return EARLIEST_MS if watched_since is None else ms_of("watched_since", watched_since)
