"""The history of a source: on which days it reported, and how long after the fact.

A day's granularity is enough, as silences are counted in days. Only live reports teach: an import says nothing of when
its source will report again, and neither does a history that is reported years later.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from itertools import pairwise
from typing import Final, NamedTuple, Self

from msgspec import Struct, msgpack
from xxhash import xxh3_64_intdigest

from flatline.domain.time import DAY_MS, LATEST_MS, day_of, to_ms
from flatline.schema.link_event import LinkEvent

DAYS_REMEMBERED: Final = 33
DAYS_MIN: Final = 6
ARTICLES_MIN: Final = 5
LIVE_WITHIN_MS: Final = 7 * DAY_MS
LAG_SAMPLES_MIN: Final = 20
LAG_SAMPLES_MAX: Final = 512
LAG_QUANTILE: Final = 0.8
LAG_DAYS_MAX: Final = 90
USUAL_GAP_QUANTILE: Final = 0.95
WRITTEN_EVERY: Final = 16

_HOUR_MS: Final = 3_600_000
_DAY_MAX: Final = day_of(LATEST_MS)
_LAG_BUCKETS: Final = 18  # under an hour, under two, under four, ... up to fifteen years


class SourceReport(NamedTuple):
    """What a source reported: of which article, when it saw that, and how late that came to us, where it says so."""

    article: int  # a fingerprint
    seen_ms: int
    lag_ms: int | None


def source_report_of(event: LinkEvent, *, recorded_ms: int, now_ms: int) -> SourceReport | None:
    """Return what an event teaches of its source; None when it is no live report. Times are bounded by our own."""
    arrived_ms = min(recorded_ms, now_ms)  # a clock that is not the wall's may be behind the record's
    seen_ms = arrived_ms if event.observed_at is None else min(to_ms(event.observed_at), arrived_ms)
    if event.discovery == "import" or arrived_ms - seen_ms > LIVE_WITHIN_MS:
        return None
    lag_ms = None
    if event.occurred_at is not None and event.change == "gained":
        lag_ms = max(0, arrived_ms - to_ms(event.occurred_at))
    return SourceReport(xxh3_64_intdigest(event.url_to.encode()), seen_ms, lag_ms)


class SourceHistory(Struct, array_like=True, gc=False):
    """The live reports of a source on one partition.

    ``days``           the last DAYS_REMEMBERED UTC days on which it reported, ascending
    ``lags``           samples of the time from a link's appearance to its report, by the bits of the lag in hours
    ``articles``       ARTICLES_MIN of the articles that it reported links to
    ``counted_until``  the offset up to which records are in ``lags``, so that none is twice after a crash
    """

    days: list[int] = []
    lags: list[int] = []
    articles: list[int] = []
    counted_until: int = 0

    @classmethod
    def decode(cls, encoded: bytes) -> Self:
        """Return it from its bytes, of this version or another; raise msgspec.DecodeError on others."""
        history = msgpack.decode(encoded, type=cls)
        history.days = sorted({day for day in history.days if 0 <= day <= _DAY_MAX})[-DAYS_REMEMBERED:]
        del history.articles[ARTICLES_MIN:]
        if history.lags:
            # Another version may tell lags apart less finely, or more; what lies beyond the last bucket is in it.
            lags = [min(max(count, 0), LAG_SAMPLES_MAX) for count in history.lags]
            beyond = sum(lags[_LAG_BUCKETS:])
            lags = [*lags[:_LAG_BUCKETS], *[0] * (_LAG_BUCKETS - len(lags))]
            lags[-1] += beyond
            history.lags = lags
        return history

    def encode(self) -> bytes:
        """Return it as bytes."""
        return msgpack.encode(self)

    def observe(self, report: SourceReport, *, offset: int) -> bool:
        """Note a live report; return whether this is worth writing down."""
        day, days = day_of(report.seen_ms), self.days
        at = bisect_left(days, day)
        is_news = (at == len(days) or days[at] != day) and (at > 0 or len(days) < DAYS_REMEMBERED)
        if is_news:
            insort(days, day)
            del days[:-DAYS_REMEMBERED]
        if report.article not in self.articles and len(self.articles) < ARTICLES_MIN:
            self.articles.append(report.article)
            is_news = True
        if report.lag_ms is None or offset < self.counted_until:
            return is_news
        self.counted_until = offset + 1
        lags = self.lags or [0] * _LAG_BUCKETS
        lags[min((report.lag_ms // _HOUR_MS).bit_length(), _LAG_BUCKETS - 1)] += 1
        samples = sum(lags)
        if samples >= LAG_SAMPLES_MAX:
            lags = [count // 2 for count in lags]
        self.lags = lags
        return is_news or samples % WRITTEN_EVERY == 0


class ReportingHabit(NamedTuple):
    """How a source usually reports, in days.

    ``last_day``      UTC day on which it last reported
    ``usual_gap``     all but one in twenty of its gaps are no longer
    ``lag``           four in five of its links are reported within it; whole days
    ``away_from``     the last day before it was away for unusually long, the last time that this happened; else None
    ``back_on``       the day on which it reported again
    """

    last_day: int
    usual_gap: int
    lag: int
    away_from: int | None = None
    back_on: int = 0


def reporting_habit_of(history: Iterable[SourceHistory], *, unusual_gaps: int) -> ReportingHabit | None:
    """Return the habit of a source from its histories on several partitions; None while these are too short.

    Of a source with few articles too little can be said: when these stop, it falls silent with them.
    It was away when it did not report for more than ``unusual_gaps`` of its usual gaps.
    """
    history = list(history)
    days = sorted(set().union(*(each.days for each in history)))[-DAYS_REMEMBERED:]
    articles = set().union(*(each.articles for each in history))
    if len(days) < DAYS_MIN or len(articles) < ARTICLES_MIN:
        return None
    gaps = sorted(later - earlier for earlier, later in pairwise(days))
    usual_gap = gaps[int(USUAL_GAP_QUANTILE * (len(gaps) - 1))]
    lag = _usual_lag_days([each.lags for each in history if each.lags])
    for earlier, later in reversed(list(pairwise(days))):
        if later - earlier > unusual_gaps * usual_gap:
            return ReportingHabit(days[-1], usual_gap, lag, away_from=earlier, back_on=later)
    return ReportingHabit(days[-1], usual_gap, lag)


def _usual_lag_days(histograms: list[list[int]]) -> int:
    lags = [sum(counts) for counts in zip(*histograms, strict=True)]
    samples = sum(lags)
    if samples < LAG_SAMPLES_MIN:
        return 0
    below = 0
    for bits, count in enumerate(lags):
        below += count
        if below >= LAG_QUANTILE * samples:
            return min((_HOUR_MS << bits) // DAY_MS, LAG_DAYS_MAX)
    return LAG_DAYS_MAX
