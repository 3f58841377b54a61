"""Waiting for what other processes do."""

import time
from collections.abc import Callable

PATIENCE_S = 1_500.0
"""How long anything may take on any machine. Whoever waits so long waits for what never comes."""


def until(what: str, holds: Callable[[], bool], *, timeout_s: float = PATIENCE_S) -> None:
    """Wait until something holds; fail, saying what, when it doesn't within a time that no machine needs."""
    give_up_at_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < give_up_at_s, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.05)
