"""Python's garbage collector, held to pauses that don't grow with what a worker knows."""

import gc
from typing import Any, Final

# Objects that hold others. Ten thousand new ones are looked through within some ms.
NEW_MAX: Final = 10_000
_LOOKS_BEFORE_FREEZING: Final = 5
_NEVER: Final = 1_000_000_000


def bound_pauses() -> None:
    """Have the collector look at what is new, twice, and never again at what is still there then.

    What a worker keeps of a million articles are objects by the million. They live until something takes their place,
    when they are freed without the collector. Looking through all of them took 0.9 s, in which the event loop stood.
    The price: what becomes unreachable in a circle after it was looked at twice is never freed.
    """
    gc.set_threshold(NEW_MAX, _LOOKS_BEFORE_FREEZING, _NEVER)
    gc.callbacks.append(_freeze_what_is_left)
    gc.collect()


def _freeze_what_is_left(phase: str, collection: dict[str, Any]) -> None:
    if phase == "stop" and collection["generation"] > 0:
        gc.freeze()
