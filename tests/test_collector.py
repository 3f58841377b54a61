"""What Python's collector looks at in a worker."""

import gc
from collections.abc import Iterator

import pytest

from flatline.worker.app import COLLECTOR_THRESHOLDS

NEW_MAX = COLLECTOR_THRESHOLDS[0]


@pytest.fixture
def _as_in_a_worker() -> Iterator[None]:
    thresholds, callbacks = gc.get_threshold(), list(gc.callbacks)
    gc.collect()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)
    yield
    gc.set_threshold(*thresholds)
    gc.callbacks[:] = callbacks


@pytest.mark.usefixtures("_as_in_a_worker")
def test_what_is_kept_makes_no_collection_longer() -> None:
    """However much is kept, no collection looks at more than a few times what may be new."""
    looked_at: list[int] = []

    def note(phase: str, collection: dict[str, int]) -> None:
        if phase == "start":
            generations = range(collection["generation"] + 1)
            looked_at.append(sum(len(gc.get_objects(generation)) for generation in generations))

    gc.callbacks.insert(0, note)
    kept = [[number] for number in range(50 * NEW_MAX)]
    assert len(looked_at) >= len(kept) // NEW_MAX - 1
    assert max(looked_at) < 6 * NEW_MAX


@pytest.mark.usefixtures("_as_in_a_worker")
def test_new_circles_are_still_freed() -> None:
    """What becomes unreachable in a circle while it is new doesn't stay."""
    freed: list[int] = []

    def note(phase: str, collection: dict[str, int]) -> None:
        if phase == "stop":
            freed.append(collection["collected"])

    gc.callbacks.append(note)
    for _ in range(20 * NEW_MAX):
        circle: list[object] = []
        circle.append(circle)
    assert sum(freed) > 15 * NEW_MAX
