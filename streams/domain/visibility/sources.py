"""Which sources are fresh: by their heartbeats, or by their usual reporting where they send none."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from flatline.domain.formatting import count
from flatline.domain.time import DAY_MS, day_of, to_datetime, to_ms
from flatline.domain.visibility.clamped_heartbeat import clamped
from flatline.domain.visibility.source_history import ReportingHabit, SourceHistory, reporting_habit_of
from flatline.domain.visibility.visibility import SourceDelay, Visibility
from flatline.schema.heartbeat import Heartbeat

STALE_AFTER_PERIODS: Final = 3
SOURCES_MAX: Final = 500
LATE_WITHIN_DAYS: Final = 14
# A source that sent no heartbeat for so many days, and so many of its periods, gives its place to one that needs it.
OUTDATED_AFTER_DAYS: Final = 30
OUTDATED_AFTER_PERIODS: Final = 10


class Freshness(NamedTuple):
    """How far behind a source is, and how far it may be; both in ms."""

    staleness_ms: int
    limit_ms: int

    @property
    def is_stale(self) -> bool:
        """Whether the source has missed several of its own periods."""
        return self.staleness_ms > self.limit_ms


class ReportingPeriod(NamedTuple):
    """How often a source reports, and within what time it reports four in five of its links; in ms.

    ``lag_ms``  None while too few of its links were reported live
    """

    period_ms: int
    lag_ms: int | None


class _Return(NamedTuple):
    """That a source came back: until ``settled_ms`` it is believed to have seen no further than before it was away."""

    seen_until_ms: int
    back_ms: int
    settled_ms: int

    @property
    def away_days(self) -> int:
        """How long it was away."""
        return day_of(self.back_ms) - day_of(self.seen_until_ms)


class Sources:
    """The latest heartbeat of each source, and the live reports of it on the partitions of this worker.

    Up to SOURCES_MAX sources are tracked by their heartbeats. A further one takes the place of an outdated one. While
    there is none, it is left out, and known by its habits like a source without heartbeats. A source whose heartbeat
    promises no other has finished and needs no place. Nothing is expected of it until it reports on a later day: then
    it is known by its habits, too.
    """

    def __init__(self) -> None:
        # Both in the order of their last heartbeats.
        self._expected: dict[str, Heartbeat] = {}
        self._finished: dict[str, Heartbeat] = {}
        self._left_out: set[str] = set()
        self._returns: dict[str, _Return] = {}
        self._habits: dict[str, ReportingHabit] = {}
        self._known_habits: dict[str, tuple[int, ReportingHabit | None]] = {}

    @property
    def left_out(self) -> int:
        """How many sources sent heartbeats that had no place; SOURCES_MAX at most."""
        return len(self._left_out)

    def receive(self, heartbeat: Heartbeat, *, recorded_ms: int | None = None) -> None:
        """Note a heartbeat, unless a later one is known. ``recorded_ms`` is the time of its record, if it has one."""
        heartbeat = clamped(heartbeat, recorded_ms=recorded_ms)
        source = heartbeat.source
        known = self._expected.get(source) or self._finished.get(source)
        if known is not None and heartbeat.sent_at < known.sent_at:
            return
        if heartbeat.period_s is None:
            self.forget(source)
            self._finish(heartbeat)
        elif source in self._expected or self._has_room(heartbeat):
            self._left_out.discard(source)
            self._finished.pop(source, None)
            self._expected.pop(source, None)
            self._expected[source] = heartbeat
            if known is not None:
                self._note_return(known, heartbeat)
        elif len(self._left_out) < SOURCES_MAX:
            self._left_out.add(source)

    def forget(self, source: str) -> None:
        """Forget the heartbeats of a source."""
        for known in (self._expected, self._finished, self._returns):
            known.pop(source, None)
        self._left_out.discard(source)

    def _finish(self, heartbeat: Heartbeat) -> None:
        self._finished[heartbeat.source] = heartbeat
        if len(self._finished) > SOURCES_MAX:
            del self._finished[next(iter(self._finished))]

    def _has_room(self, newcomer: Heartbeat) -> bool:
        """Whether another heartbeat can be awaited; an outdated one makes room."""
        if len(self._expected) < SOURCES_MAX:
            return True
        now_ms = to_ms(newcomer.sent_at)
        outdated = next((source for source, each in self._expected.items() if _is_outdated(each, now_ms)), None)
        if outdated is not None:
            self.forget(outdated)
        return outdated is not None

    def learn_habits(self, histories: Iterable[Mapping[str, SourceHistory]]) -> None:
        """Learn the habits of all sources from what partitions know of them by now, each by source.

        Of 500 sources on 8 partitions this takes 10 ms: once a commit, and not for each question in between.
        """
        by_source: defaultdict[str, list[SourceHistory]] = defaultdict(list)
        for partition in histories:
            for source, each in partition.items():
                by_source[source].append(each)
        habits = {source: self._habit(source, each) for source, each in by_source.items()}
        self._habits = {source: habit for source, habit in habits.items() if habit is not None}

    def freshness(self, now_ms: int) -> dict[str, Freshness]:
        """Return the freshness of every source of which more is expected."""
        by_heartbeat = {
            source: Freshness(
                staleness_ms=max(0, now_ms - to_ms(heartbeat.seen_until)),
                limit_ms=limit_ms_of(heartbeat),
            )
            for source, heartbeat in self._expected.items()
        }
        by_habit = {
            source: Freshness(
                staleness_ms=max(0, now_ms - (habit.last_day + 1) * DAY_MS),
                limit_ms=STALE_AFTER_PERIODS * habit.usual_gap * DAY_MS,
            )
            for source, habit in self._habits.items()
            if source not in self._expected and not self._has_finished(source, habit)
        }
        return by_heartbeat | by_habit

    def reporting_periods(self) -> dict[str, ReportingPeriod]:
        """Return the reporting period of every source that is expected to report more."""
        reporting_periods = {
            source: ReportingPeriod(habit.usual_gap * DAY_MS, habit.lag * DAY_MS)
            for source, habit in self._habits.items()
            if not self._has_finished(source, habit)
        }
        for source, heartbeat in self._expected.items():
            lag_ms = reporting_periods[source].lag_ms if source in reporting_periods else None
            reporting_periods[source] = ReportingPeriod(_period_ms(heartbeat), lag_ms)
        return reporting_periods

    def stale(self, now_ms: int) -> frozenset[str]:
        """Return the sources that have fallen behind."""
        return frozenset(source for source, freshness in self.freshness(now_ms).items() if freshness.is_stale)

    def visibility(self, now_ms: int, *, is_lagging: bool = False) -> Visibility:
        """Return what can't be seen at the moment. Instants in it are whole days, so that it seldom changes.

        A source has seen everything until its heartbeat says, or, without one, until now unless it is stale; but for
        what it usually reports later. When it comes back, it is not believed at once: what it missed has to come first.
        """
        freshness = self.freshness(now_ms)
        delays: dict[str, SourceDelay] = {}
        late_days: dict[str, int] = {}
        for source in freshness:
            habit = self._habits.get(source)
            seen_until_ms, reason = self._seen_until(source, habit, freshness[source], now_ms)
            if habit is not None and now_ms - habit.lag * DAY_MS < seen_until_ms:
                seen_until_ms = now_ms - habit.lag * DAY_MS
                reason = reason or f"its source {source} usually reports up to {count(habit.lag, 'day')} late"
            if day_of(seen_until_ms) < day_of(now_ms):
                delays[source] = SourceDelay(day_of(seen_until_ms) * DAY_MS, reason, freshness[source].is_stale)
            returned = self._return_of(source, habit)
            if returned is not None and 0 <= now_ms - returned.back_ms < LATE_WITHIN_DAYS * DAY_MS:
                late_days[source] = returned.away_days
        return Visibility(frozenset(freshness), delays, late_days, is_lagging)

    def _seen_until(
        self, source: str, habit: ReportingHabit | None, freshness: Freshness, now_ms: int
    ) -> tuple[int, str | None]:
        """Return until when a source has seen everything, but for its lag; and why, where that is unusual."""
        seen_until_ms, has_heartbeats = now_ms - freshness.staleness_ms, source in self._expected
        if freshness.is_stale:
            since = f"{to_datetime(seen_until_ms):%Y-%m-%d}"
            return seen_until_ms, f"its source {source} has seen nothing since {since}, which is unusual"
        returned = self._return_of(source, None if has_heartbeats else habit)
        if returned is not None and returned.back_ms <= now_ms < returned.settled_ms:
            reason = f"its source {source} has just come back, and may still report what it missed"
            return returned.seen_until_ms, reason
        return (seen_until_ms if has_heartbeats else now_ms), None

    def _return_of(self, source: str, habit: ReportingHabit | None) -> _Return | None:
        """Return how a source last came back: by its heartbeats, else by its habit."""
        returned = self._returns.get(source)
        if returned is None and habit is not None and habit.away_from is not None:
            back_ms = habit.back_on * DAY_MS
            settled_ms = back_ms + (habit.usual_gap + 1) * DAY_MS
            return _Return((habit.away_from + 1) * DAY_MS, back_ms, settled_ms)
        return returned

    def _habit(self, source: str, history: list[SourceHistory]) -> ReportingHabit | None:
        """Return the habit of a source, made only after a new report: it is asked for all the time."""
        news = sum(hash((sum(each.days), sum(each.lags), len(each.articles))) for each in history)
        known = self._known_habits.get(source)
        if known is None or known[0] != news:
            known = self._known_habits[source] = news, reporting_habit_of(history, unusual_gaps=STALE_AFTER_PERIODS)
        return known[1]

    def _note_return(self, known: Heartbeat, heartbeat: Heartbeat) -> None:
        seen_until_ms, back_ms = to_ms(known.seen_until), to_ms(heartbeat.sent_at)
        has_gap = heartbeat.seen_from is not None and to_ms(heartbeat.seen_from) > seen_until_ms
        is_usual = to_ms(heartbeat.seen_until) - seen_until_ms <= limit_ms_of(known)
        if known.period_s is None or (is_usual and not has_gap):
            return
        self._returns[heartbeat.source] = _Return(seen_until_ms, back_ms, back_ms + _period_ms(known))

    def _has_finished(self, source: str, habit: ReportingHabit) -> bool:
        """Whether a source said that it has finished, and has reported nothing since that day."""
        last = self._finished.get(source)
        return last is not None and habit.last_day <= day_of(to_ms(last.sent_at))


def _period_ms(heartbeat: Heartbeat) -> int:
    return int((heartbeat.period_s or 0) * 1000)


def limit_ms_of(heartbeat: Heartbeat) -> int:
    """Return how far behind a source may be that promised another heartbeat."""
    return _period_ms(heartbeat) * STALE_AFTER_PERIODS


def _is_outdated(heartbeat: Heartbeat, now_ms: int) -> bool:
    patience_ms = max(OUTDATED_AFTER_DAYS * DAY_MS, OUTDATED_AFTER_PERIODS * _period_ms(heartbeat))
    return now_ms - to_ms(heartbeat.sent_at) > patience_ms
