"""What stands for the records of a batch that can't be unpacked."""

import logging
from dataclasses import dataclass, field
from typing import Any, Protocol

log = logging.getLogger("flatline.kafka")


class Batch(Protocol):
    """What the clients know of a batch without unpacking it."""

    base_offset: int
    next_offset: int
    max_timestamp: int


@dataclass(frozen=True)
class SkippedBatch:
    """A record in the place of the last one of a batch whose records were not read. It has no key and an empty value.

    ``detail``  which records are missing, and why
    """

    offset: int
    timestamp: int  # ms since the epoch, of the batch's newest record
    detail: str
    key: None = None
    value: bytes = b""
    headers: list[tuple[str, bytes]] = field(default_factory=list)


def skipped(batch: Any, where: object, error: Exception) -> SkippedBatch:
    """Say in the log which records are not read, and return what stands for them."""
    last = batch.next_offset - 1
    detail = f"the records {batch.base_offset} to {last} came in one compressed batch and were not read: {error}"
    log.error("%s: %s", where, detail)
    return SkippedBatch(last, batch.max_timestamp, detail)
