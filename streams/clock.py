"""What "now" is: only the outermost shells ask; everything else gets `now_ms` as an argument."""

import time
from datetime import datetime
from pathlib import Path
from typing import Protocol

from flatline.domain.time import to_datetime, to_ms
from flatline.errors import FlatlineError
from flatline.settings import Settings


class ClockError(FlatlineError):
    """The file of a simulation's clock can't be read. The message says which file, and why."""

    remedy = "Have FLATLINE_CLOCK_FILE name a file that holds one RFC 3339 time, or unset it."


class Clock(Protocol):
    """Tells the time."""

    def now_ms(self) -> int:
        """Return ms since the epoch."""


class WallClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        """Return ms since the epoch."""
        return time.time_ns() // 1_000_000


class FileClock:
    """A simulation's clock: it shows what its file says, and stands still until somebody turns it.

    All processes that go by the file agree on the time, and one that is restarted finds it as it was. The file holds
    one instant, in RFC 3339.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def now_ms(self) -> int:
        """Return ms since the epoch. Raise `ClockError`."""
        try:
            return to_ms(datetime.fromisoformat(self._path.read_text("ascii").strip()))
        except (OSError, TypeError, ValueError) as error:
            raise ClockError(f"The clock's file {self._path} holds no time: {error}") from error

    def turn(self, now_ms: int) -> None:
        """Have it show another time, for everybody at once."""
        new = self._path.with_suffix(".new")
        new.write_text(f"{to_datetime(now_ms).isoformat()}\n", "ascii")
        new.replace(self._path)


def clock_from(settings: Settings) -> Clock:
    """Return the clock that the settings ask for. Raise `ClockError`."""
    if settings.clock_file is None:
        return WallClock()
    clock = FileClock(settings.clock_file)
    clock.now_ms()
    return clock
