"""What could be seen of each source, day by day: by its heartbeats, or by when it reported where there are none.

The worker's own `Sources` says it, of one source at a time, on the days on which it reported or sent a heartbeat, and
between them where the answer changes.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from flatline.backtest.changes import changes
from flatline.domain.state.reported_weeks import ReportedWeeks
from flatline.domain.time import DAY_MS, day_of, to_ms
from flatline.domain.visibility.source_history import SourceHistory, SourceReport
from flatline.domain.visibility.sources import Sources
from flatline.domain.visibility.visibility import Visibility
from flatline.schema.heartbeat import Heartbeat

Reports = Mapping[tuple[str, int], Sequence[SourceReport]]
"""What sources reported, by source and UTC day."""


class Outage(NamedTuple):
    """A time for which a source was stale; ``until_day`` is the day on which it reported again, None if it did not."""

    source: str
    since_day: int
    until_day: int | None


class _Moment(NamedTuple):
    """What can be seen of a source from a day on. ``moves``: it goes on seeing, always as far behind as on that day."""

    day: int
    visibility: Visibility
    is_stale: bool
    moves: bool

    def sees_as_much_as(self, other: "_Moment") -> bool:
        """Whether only the day differs."""
        return self._replace(day=0, visibility=_relative(self)) == other._replace(day=0, visibility=_relative(other))


class VisibilityHistory:
    """What could be seen of the sources at the end of each day up to ``end_day``."""

    def __init__(self, heartbeats: Iterable[Heartbeat] = (), reports: Reports | None = None, *, end_day: int) -> None:
        histories: defaultdict[str, dict[int, list[Heartbeat | SourceReport]]] = defaultdict(dict)
        for (source, day), reported in (reports or {}).items():
            histories[source].setdefault(day, []).extend(reported)
        for heartbeat in sorted(heartbeats, key=lambda each: each.sent_at):
            histories[heartbeat.source].setdefault(day_of(to_ms(heartbeat.sent_at)), []).append(heartbeat)
        self._moments = {source: list(_moments(source, days, end_day)) for source, days in histories.items()}
        self._days = {source: [moment.day for moment in moments] for source, moments in self._moments.items()}

    def on(self, day: int, sources: Collection[str]) -> Visibility:
        """Return what could be seen of these sources at the end of a day."""
        by_source = [
            _on(self._moments[source][at - 1], day)
            for source in sources
            if source in self._moments and (at := bisect_right(self._days[source], day))
        ]
        return Visibility(
            frozenset().union(*(each.expected for each in by_source)),
            {source: delay for each in by_source for source, delay in each.delays.items()},
            {source: days for each in by_source for source, days in each.late_days.items()},
        )

    def is_hardly_seen(self, reported: Mapping[str, ReportedWeeks], *, last_link_day: int, day: int) -> bool:
        """Whether, at the end of a day, too little of an article could be seen to ask anything of it."""
        visibility = self.on(day, reported)
        return visibility.of_article(
            reported, since_ms=last_link_day * DAY_MS, now_ms=(day + 1) * DAY_MS - 1
        ).is_hardly_seen

    def changes(self, sources: Collection[str], *, after: int, until: int) -> list[int]:
        """Return the days on which something other than the day changes, from the day after ``after`` to ``until``."""
        days = set[int]()
        for source in sources:
            known = self._days.get(source, [])
            days.update(known[bisect_right(known, after) : bisect_right(known, until)])
        return sorted(days)

    def outages(self) -> list[Outage]:
        """Return for which times sources were stale, in order of time."""
        found = []
        for source, moments in self._moments.items():
            since_day = None
            for moment in moments:
                if moment.is_stale and since_day is None:
                    since_day = moment.day
                elif not moment.is_stale and since_day is not None:
                    found.append(Outage(source, since_day, moment.day))
                    since_day = None
            if since_day is not None:
                found.append(Outage(source, since_day, None))
        return sorted(found, key=lambda outage: (outage.since_day, outage.source))


def _moments(source: str, days: Mapping[int, Sequence[Heartbeat | SourceReport]], end_day: int) -> Iterator[_Moment]:
    """Yield what can be seen of a source whenever that changes."""
    sources, histories, offset = Sources(), SourceHistory(), 0
    last: _Moment | None = None
    in_order = sorted(day for day in days if day <= end_day)
    for number, day in enumerate(in_order):
        for each in days[day]:
            if isinstance(each, Heartbeat):
                sources.receive(each)
            else:
                histories.observe(each, offset=offset)
                offset += 1
        sources.learn_habits([{source: histories}])
        until = in_order[number + 1] - 1 if number + 1 < len(in_order) else end_day
        for _, moment in changes(partial(_moment, source, sources), _Moment.sees_as_much_as, first=day, until=until):
            if last is None or not moment.sees_as_much_as(last):
                yield moment
            last = moment


def _moment(source: str, sources: Sources, _last: _Moment | None, day: int) -> _Moment:
    now_ms = (day + 1) * DAY_MS - 1
    visibility, tomorrow = sources.visibility(now_ms), sources.visibility(now_ms + DAY_MS)
    delay, then = visibility.delays.get(source), tomorrow.delays.get(source)
    moves = delay is not None and then is not None and then.seen_until_ms > delay.seen_until_ms
    return _Moment(day, visibility, source in sources.stale(now_ms), moves)


def _relative(moment: _Moment) -> Visibility:
    """Return what is seen, with how far behind a source is instead of up to when it has seen, if it goes on seeing."""
    return _shifted(moment.visibility, -moment.day) if moment.moves else moment.visibility


def _on(moment: _Moment, day: int) -> Visibility:
    return _shifted(moment.visibility, day - moment.day) if moment.moves else moment.visibility


def _shifted(visibility: Visibility, days: int) -> Visibility:
    return visibility._replace(
        delays={
            source: delay._replace(seen_until_ms=delay.seen_until_ms + days * DAY_MS)
            for source, delay in visibility.delays.items()
        }
    )
