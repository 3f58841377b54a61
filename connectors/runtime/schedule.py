"""When a connector runs next."""

from collections.abc import Callable
from typing import Final

JITTER: Final = 0.1
WAIT_S_MAX: Final = 86_400


def next_run_ms(ended_ms: int, *, every_s: int, random: Callable[[], float]) -> int:
    """Return when the run after one that ended at ``ended_ms`` begins: in ``every_s``, give or take a tenth.

    ``random`` returns a number of [0, 1): connectors that were started together do not stay together.
    """
    return ended_ms + round(every_s * 1000 * (1 - JITTER + 2 * JITTER * random()))


def latest_run_ms(ended_ms: int, *, every_s: int) -> int:
    """Return the latest time that `next_run_ms` returns."""
    return ended_ms + round(every_s * 1000 * (1 + JITTER))


def waiting_ms(now_ms: int, *, retry_after_s: float, random: Callable[[], float]) -> int:
    """Return when to go on after a server has asked for a pause: not before that, and not much later.

    A pause of more than a day is not believed.
    """
    return now_ms + round(min(retry_after_s, WAIT_S_MAX) * 1000 * (1 + JITTER * random()))
