"""Finds the days on which an answer changes without asking on every day."""

from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


def changes(
    answer: Callable[[T | None, int], T],
    is_same: Callable[[T, T], bool],
    last: T | None = None,
    *,
    first: int,
    until: int,
) -> Iterator[tuple[int, T]]:
    """Yield the answer on day ``first``, and on each later day up to ``until`` on which it changes; by bisection.

    ``answer`` gets the answer before, ``last`` at first, and the day. Rests on an answer not coming back by itself.
    """
    day, known = first, answer(last, first)
    yield day, known
    while day < until:
        low, high = day, until
        at_high = answer(known, high)
        if is_same(at_high, known):
            return
        while high - low > 1:
            middle = (low + high) // 2
            at_middle = answer(known, middle)
            if is_same(at_middle, known):
                low = middle
            else:
                high, at_high = middle, at_middle
        day, known = high, at_high
        yield day, known
