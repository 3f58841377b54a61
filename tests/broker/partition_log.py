"""One partition's log: offsets, transactions with their marks, compaction, and what a reader sees of it."""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from flatline.engine.log import Outgoing


class Outcome(Enum):
    """How a transaction stands on one partition: until its mark is written there, it is open."""

    OPEN = "open"
    COMMITTED = "committed"
    ABORTED = "aborted"


class Part:
    """What one transaction wrote to one partition: from which offset on, and how it ended."""

    def __init__(self, first_offset: int) -> None:
        self.first_offset = first_offset
        self.outcome = Outcome.OPEN


class Stored(NamedTuple):
    """A record as it lies in the log, with the names that Kafka's clients use. ``part`` is of its transaction."""

    offset: int
    timestamp: int  # ms since the epoch
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    part: Part | None = None


class Read(NamedTuple):
    """Records that were read, and the offset to go on with."""

    records: list[Stored]
    next_offset: int


class PartitionLog:
    """The records of one partition. ``start`` and ``end`` bound its offsets; marks of transactions take one each."""

    def __init__(self) -> None:
        self.start = 0
        self.end = 0
        self._records: list[Stored] = []
        self._open: list[Part] = []

    @property
    def last_stable_offset(self) -> int:
        """The offset up to which readers of committed records are let: where the first open transaction begins."""
        return min((part.first_offset for part in self._open), default=self.end)

    def begin(self) -> Part:
        """Let a transaction write here from now on."""
        part = Part(self.end)
        self._open.append(part)
        return part

    def append(self, records: Iterable[Outgoing], *, now_ms: int, part: Part | None = None) -> None:
        """Write records at the end; those of a transaction are not committed yet."""
        for record in records:
            timestamp = now_ms if record.timestamp_ms is None else record.timestamp_ms
            headers = tuple(record.headers)
            self._records.append(Stored(self.end, timestamp, record.key, record.value, headers, part))
            self.end += 1

    def mark(self, part: Part, outcome: Outcome) -> None:
        """Write the mark that ends a transaction here."""
        part.outcome = outcome
        self._open.remove(part)
        self.end += 1

    def read(self, offset: int, *, committed: bool = True, records_max: int | None = None) -> Read:
        """Return records from an offset on, at most so many, in order.

        With ``committed``: none that were aborted, and none at or after the last stable offset.
        """
        end = self.last_stable_offset if committed else self.end
        found = [record for record in self._records if offset <= record.offset < end]
        if committed:
            found = [record for record in found if record.part is None or record.part.outcome is Outcome.COMMITTED]
        if records_max is None or len(found) <= records_max:
            return Read(found, max(offset, end))
        return Read(found[:records_max], found[records_max - 1].offset + 1)

    def compact(self, *, with_tombstones: bool = False) -> None:
        """Leave only the newest record of each key, up to the last stable offset. Offsets stay, with gaps.

        Aborted records go; tombstones stay unless ``with_tombstones``: a broker keeps them for a day.
        """
        stable = self.last_stable_offset
        clean = self.read(self.start).records
        newest = {record.key: record.offset for record in clean}
        kept = [r for r in clean if newest[r.key] == r.offset and not (with_tombstones and r.value is None)]
        self._records = kept + [record for record in self._records if record.offset >= stable]

    def delete_before(self, offset: int) -> None:
        """Delete what is older than an offset, as retention does."""
        self.start = max(self.start, min(offset, self.end))
        self._records = [record for record in self._records if record.offset >= self.start]


def bytes_of(records: Sequence[Outgoing]) -> int:
    """Return about how many bytes a batch of records has on its way to a broker, uncompressed."""
    return 61 + sum(
        12
        + len(record.key or b"")
        + len(record.value or b"")
        + sum(len(name) + len(word) + 4 for name, word in record.headers)
        for record in records
    )
