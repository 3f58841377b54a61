"""Plays a real history from a file, as if its last part happened now."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import Final

from flatline.clock import WallClock
from flatline.demo.errors import DemoError
from flatline.demo.play import Act, TimedEvent
from flatline.domain.time import DAY_MS, to_ms
from flatline.schema import codec
from flatline.schema.rejection import Rejected
from flatline_connectors.files.lines import Line, LineFile

# All of it is reported by one source; the events keep those that they name, of which no heartbeats are known.
SOURCE: Final = "demo-player"
# The part that happens now: so much of the end, but no more than half.
_LIVE_DAYS_MAX: Final = 730
_UNDATED: Final = 0


class RecordedHistory:
    """The link events of a file: NDJSON, also .gz or .zst. Those without a time count as past."""

    def __init__(self, path: Path) -> None:
        """Read the file once, to learn when its events happened. Raise `DemoError` if none can be played."""
        if path.is_dir():
            raise DemoError(f"{path} is a folder. A history is a file of link events: NDJSON, also .gz or .zst.")
        self.path = path
        self._at_ms = array("q", map(_event_time_ms, LineFile(path)))
        now_ms = WallClock().now_ms()
        dated = [at_ms for at_ms in self._at_ms if at_ms != _UNDATED and at_ms <= now_ms]
        if not dated:
            raise DemoError(
                f"{path} has no link event with a date in the past. Each line has to be one JSON object, such as\n"
                '  {"url_from": "https://a.example/post", "url_to": "https://b.example/", '
                '"occurred_at": "2026-01-31T12:00:00Z"}'
            )
        self.events = len(self._at_ms)
        self.first_ms, self.last_ms = min(dated), max(dated)
        self.live_days = min(_LIVE_DAYS_MAX, max(1.0, (self.last_ms - self.first_ms) / DAY_MS / 2))

    def timed(self, file: LineFile) -> Iterator[tuple[int, Line]]:
        """Open the file again, and return each line with its event time."""
        return zip(self._at_ms, file, strict=True)


class RecordedPlay:
    """A recorded history around the instant at which its watch begins."""

    def __init__(self, history: RecordedHistory, begins_ms: int, *, period_days: float) -> None:
        self.begins_ms = begins_ms
        self.ends_ms = history.last_ms + 1
        self.period_days = period_days
        self.articles: Path | None = None
        self.links = history.path
        self._history = history
        timed = history.timed(LineFile(history.path))
        live = (TimedEvent(at_ms, SOURCE, line.value) for at_ms, line in timed if at_ms >= begins_ms)
        self._reports = sorted(live, key=attrgetter("at_ms"))

    def past(self, links: LineFile) -> Iterator[Line]:
        """Return the lines from before ``begins_ms``, in the order of the file."""
        return (line for at_ms, line in self._history.timed(links) if at_ms < self.begins_ms)

    def reports(self, *, from_ms: int, until_ms: int) -> list[TimedEvent]:
        """Return the events in a half-open range of instants, in order."""
        first, end = (bisect_left(self._reports, instant, key=attrgetter("at_ms")) for instant in (from_ms, until_ms))
        return self._reports[first:end]

    def sources(self, at_ms: int) -> list[str]:  # noqa: ARG002 - it never dies
        """Return the only source."""
        return [SOURCE]

    def acts(self) -> list[Act]:
        """Return nothing: a real history has no script."""
        return []


def _event_time_ms(line: Line) -> int:
    try:
        event = codec.links.decode(line.value)
    except Rejected:
        return _UNDATED
    instant = event.occurred_at or event.observed_at
    return _UNDATED if instant is None else to_ms(instant)
