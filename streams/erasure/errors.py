"""Errors of an erasure."""

from flatline.errors import FlatlineError


class ErasureError(FlatlineError):
    """An erasure can't begin, or is not complete. The message says why."""

    remedy = "Stop what runs, and run `flatline erase` again: it completes what was begun."
