"""A simulation's clock that runs by the wall, for tests that wait for nothing of what happens meanwhile."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from flatline.clock import FileClock

_TURN_EVERY_S = 0.1
_TURN_S_MAX = 0.5


@contextmanager
def running_clock(
    file: Path, *, from_ms: int, speed: float, before_turn: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Turn the clock in ``file`` on, ``speed`` times as fast as the wall's at most, to the end of the body.

    It makes no leaps, however seldom this process gets its turn. ``before_turn`` is called before each of its steps.
    """
    clock, over = FileClock(file), threading.Event()
    clock.turn(from_ms)

    def run() -> None:
        now_ms, turned_s = float(from_ms), monotonic()
        while not over.wait(_TURN_EVERY_S):
            before_turn()
            before_s, turned_s = turned_s, monotonic()
            now_ms += min(turned_s - before_s, _TURN_S_MAX) * speed * 1000
            clock.turn(int(now_ms))

    thread = threading.Thread(target=run, name="clock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
