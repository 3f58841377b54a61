"""How much of it: a short version of every test for each change, the full one for `make chaos`."""

import os
from typing import Final, TypeVar

import pytest

T = TypeVar("T")

IS_FULL: Final = os.environ.get("CHAOS") == "full"


full_only = pytest.mark.skipif(not IS_FULL, reason="only in the full version: make chaos")


def pick(*, short: T, full: T) -> T:
    """Return a size."""
    return full if IS_FULL else short
