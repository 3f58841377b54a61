"""How many examples a property gets."""

from typing import Final

from hypothesis import settings

_USUAL: Final = settings.get_profile("flatline").max_examples


def examples(count: int) -> settings:
    """Return settings with a number of examples of its own; `make check` and `make fuzz` have theirs for all."""
    profile = settings.default.max_examples
    return settings(max_examples=count if profile == _USUAL else profile)
