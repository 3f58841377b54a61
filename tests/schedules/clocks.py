"""The clocks of a schedule in place of the machine's."""

from collections.abc import Callable
from itertools import count
from typing import Protocol
from unittest.mock import patch

LOOK_S = 0.01
"""How much later it is each time somebody measures a turn: so turns end, and budgets."""


class Timed(Protocol):
    """What has the time."""

    now_ms: int


def replace(world: Timed) -> Callable[[], None]:
    """Have all workers measure by the time of a schedule; return what takes that back."""
    looks = count()
    patches = [
        patch("flatline.engine.turns.monotonic", lambda: next(looks) * LOOK_S),
        *(
            patch(f"{module}.monotonic", lambda: world.now_ms / 1000)
            for module in ("flatline.engine.assignment", "flatline.worker.loop", "flatline.agents.survey")
        ),
        patch("flatline.worker.loop.time", lambda: world.now_ms / 1000),
    ]
    for replaced in patches:
        replaced.start()

    def restore() -> None:
        for replaced in patches:
            replaced.stop()

    return restore
