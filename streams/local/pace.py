import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_DURATION = re.compile(rf"({_PART.pattern})+|0")


@dataclass(frozen=True)
class Pace:
    """How many times faster than the wall clock an installation lives.

    Prometheus and Alertmanager know the wall clock alone. What their files say about articles' days is therefore
    divided by the pace, and one set of files serves production (pace 1) and a simulation.
    """

    speed: float = 1.0

    @property
    def is_real(self) -> bool:
        """Whether it is the wall clock's."""
        return self.speed == 1.0

    def shorten(self, duration: str, *, floor_ms: int) -> str:
        """Return a Prometheus duration divided by the pace, yet not below ``floor_ms``, and never longer than it was.

        Raises ValueError for what isn't one.
        """
        if self.is_real:
            return duration
        stated_ms = duration_ms(duration)
        return f"{min(stated_ms, max(floor_ms, math.ceil(stated_ms / self.speed)))}ms"

    def shortened(self, section: Mapping[str, Any], keys: Iterable[str], *, floor_ms: int) -> dict[str, Any]:
        """Return a section of a configuration with the durations of these keys shortened, where it has them."""
        durations = {key: self.shorten(str(section[key]), floor_ms=floor_ms) for key in keys if key in section}
        return {**section, **durations}


def duration_ms(duration: str) -> int:
    """Return a Prometheus duration ("1h30m") in ms. Raises ValueError for what isn't one."""
    if not _DURATION.fullmatch(duration):
        raise ValueError(f"{duration!r} is not a duration: expected such as 30s, 5m or 1h30m")
    return sum(int(count) * _UNITS_MS[unit] for count, unit in _PART.findall(duration))
