"""When simulated links come: ascending lists of days, each drawn from a random process that real articles follow, too.

Days are UTC days counted from 1970-01-01; the range of a process is half-open.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Final

# Exponential gaps are cut here: in the tail beyond it a steady gainer would fall silent that no story wants silent.
_LONGEST_GAP_MEANS: Final = 4.0
_YEAR_DAYS: Final = 365


def steady(chance: Random, days: range, *, mean_gap: float) -> list[int]:
    """Return a Poisson process."""
    return list(_process(chance, days, lambda _age: mean_gap))


def growing(chance: Random, days: range, *, mean_gap: float, halved_after: int) -> list[int]:
    """Return a Poisson process whose mean gap halves every ``halved_after`` days, down to two days."""
    return list(_process(chance, days, lambda age: max(2.0, mean_gap * 0.5 ** (age / halved_after))))


def fading(chance: Random, days: range, *, mean_gap: float, doubled_after: int) -> list[int]:
    """Return a Poisson process whose mean gap doubles every ``doubled_after`` days, as that of most articles does."""
    return list(_process(chance, days, lambda age: mean_gap * 2 ** (age / doubled_after)))


def bursts(chance: Random, days: range, *, mean_gap: float) -> list[int]:
    """Return clusters of a few link days each; ``mean_gap`` is the mean time from one beginning to the next."""
    begins = _process(chance, days, lambda _age: mean_gap)
    clusters = (range(begin, begin + chance.randint(5, 15), chance.randint(1, 3)) for begin in begins)
    return sorted({day for cluster in clusters for day in cluster if day in days})


def seasonal(chance: Random, days: range, *, mean_gap: float, pause: range) -> list[int]:
    """Return a Poisson process without the days of the year in ``pause``."""
    return [
        day for day in _process(chance, days, lambda _age: mean_gap) if (day - pause.start) % _YEAR_DAYS >= len(pause)
    ]


def _process(chance: Random, days: range, mean_gap_at: Callable[[int], float]) -> Iterator[int]:
    day = days.start
    while day in days:
        yield day
        mean_gap = mean_gap_at(day - days.start)
        day += max(1, round(min(chance.expovariate(1 / mean_gap), _LONGEST_GAP_MEANS * mean_gap)))
