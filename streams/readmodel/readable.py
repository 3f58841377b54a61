"""What can be read of a topic's records: one that can't be fails no command."""

import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

from flatline.schema.rejection import Rejected

T = TypeVar("T")

log = logging.getLogger("flatline.readmodel")


def readable(
    topic: str,
    values: Mapping[bytes, bytes],
    read: Callable[[bytes, bytes], T],
    *,
    errors: tuple[type[Exception], ...] = (Rejected,),
) -> list[T]:
    """Return what ``read`` makes of keys and values, without those at which it raises one of ``errors``.

    These are logged once: how many they are, and the key and the reason of the first.
    """
    found: list[T] = []
    rejected: list[tuple[bytes, Exception]] = []
    for key, value in values.items():
        try:
            found.append(read(key, value))
        except errors as error:
            rejected.append((key, error))
    if rejected:
        (first, why), count = rejected[0], len(rejected)
        log.warning("unreadable records of %s, skipped: %d; the first has the key %r: %s", topic, count, first, why)
    return found
