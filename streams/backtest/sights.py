"""What could be seen, day by day, by the heartbeats of that time."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence

from streams.domain.event_time import to_ms
from streams.domain.rhythm import DAY_MS, day_of
from streams.domain.sight import Sight
from streams.domain.sources import Sources
from streams.schema.heartbeat import Heartbeat


class Sights:
    """The sight at the end of each day up to ``end_day``, kept as the days on which it changes."""

    def __init__(self, heartbeats: Iterable[Heartbeat] = (), *, end_day: int = 0) -> None:
        self._days: list[int] = []
        self._sights = [Sight()]
        waiting = deque(sorted(heartbeats, key=lambda heartbeat: heartbeat.sent_at))
        if not waiting:
            return
        sources = Sources()
        for day in range(day_of(to_ms(waiting[0].sent_at)), end_day + 1):
            now_ms = (day + 1) * DAY_MS - 1
            while waiting and to_ms(waiting[0].sent_at) <= now_ms:
                sources.hear(waiting.popleft())
            sight = sources.sight(now_ms)
            if sight != self._sights[-1]:
                self._days.append(day)
                self._sights.append(sight)

    def on(self, day: int) -> Sight:
        """Return the sight at the end of a day."""
        return self._sights[bisect_right(self._days, day)]

    def changes(self, *, after: int, until: int) -> Sequence[int]:
        """Return the days on which it changes, from the day after ``after`` to ``until``."""
        return self._days[bisect_right(self._days, after) : bisect_right(self._days, until)]
