"""What "now" is: only the outermost shells ask; everything else gets `now_ms` as an argument."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from streams.domain.event_time import to_ms
from streams.settings import Settings


class Clock(Protocol):
    """Tells the time, and how long its durations take on the wall."""

    def now_ms(self) -> int:
        """Return ms since the epoch."""

    def wall_ms(self, duration_ms: int) -> int:
        """Return how many ms one must wait for ``duration_ms`` to pass on this clock, rounded up."""


def _wall_now_ms() -> int:
    return time.time_ns() // 1_000_000


class WallClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        """Return ms since the epoch."""
        return _wall_now_ms()

    def wall_ms(self, duration_ms: int) -> int:
        """Return ``duration_ms``."""
        return duration_ms


@dataclass(frozen=True)
class AcceleratedClock:
    """A clock that showed ``origin_ms`` when the wall clock showed ``epoch_ms``, and has run ``speed`` times as fast.

    At ``end_ms`` it stops. All processes of a simulation share these figures, and so the time.
    """

    origin_ms: int
    epoch_ms: int
    speed: float
    end_ms: int | None = None
    wall_now_ms: Callable[[], int] = field(default=_wall_now_ms, compare=False)

    def now_ms(self) -> int:
        """Return ms since the epoch, by this clock."""
        now_ms = self.origin_ms + math.floor((self.wall_now_ms() - self.epoch_ms) * self.speed)
        return now_ms if self.end_ms is None else min(now_ms, self.end_ms)

    def wall_ms(self, duration_ms: int) -> int:
        """Return how many ms one must wait for ``duration_ms`` to pass on this clock, rounded up."""
        return math.ceil(duration_ms / self.speed)


def clock_from(settings: Settings) -> Clock:
    """Return the clock that the settings ask for: the wall's, unless they name an accelerated one."""
    origin, epoch, speed = settings.clock_origin, settings.clock_epoch, settings.clock_speed
    if origin is None or epoch is None or speed is None:
        return WallClock()
    end_ms = None if settings.clock_end is None else to_ms(settings.clock_end)
    return AcceleratedClock(origin_ms=to_ms(origin), epoch_ms=to_ms(epoch), speed=speed, end_ms=end_ms)
