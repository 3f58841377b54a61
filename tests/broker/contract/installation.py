"""What the contract suite needs of a broker beyond the engine's seam: to set it up, to disturb it, to look into it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from flatline.engine.log import Changelog, Forwarder, Offset, Outgoing, Record

PARTITIONS = 2
STATE_TOPIC = "state"
SOURCE_TOPIC = "source"
OTHER_TOPIC = "other-source"
OUTPUT_TOPIC = "output"
FILLER_KEY = b"filler"  # of records that `compact` writes
COMPACTED_TOPICS = (STATE_TOPIC,)
TOPICS = (STATE_TOPIC, SOURCE_TOPIC, OTHER_TOPIC, OUTPUT_TOPIC)


class Bounds(NamedTuple):
    """The offsets of a partition: the oldest, the last stable one, and the end."""

    start: int
    stable: int
    end: int


class OpenTransaction(Protocol):
    """A transaction of somebody else, under way."""

    async def end(self, *, is_committed: bool) -> None:
        """Commit or abort it. Raises FencedError."""


class Installation(Protocol):
    """A broker with the TOPICS, the engine's view of it, and ways to look at what the engine did.

    Names of topics are those above, with a prefix: `name`.
    """

    changelog: Changelog
    forwarder: Forwarder

    def name(self, topic: str) -> str:
        """Return what a topic is called here."""

    async def read(self, topic: str, partition: int = 0, *, is_committed: bool = True) -> Sequence[Record]:
        """Return the records of a partition: those that are committed, or all."""

    async def bounds(self, topic: str, partition: int = 0) -> Bounds:
        """Return the offsets of a partition."""

    async def committed(self, topic: str, partition: int = 0) -> Offset | None:
        """Return the offset that the engine's group committed."""

    async def begin(self, transactional_id: str, records: Sequence[Outgoing]) -> OpenTransaction:
        """Write records in a transaction that stays open."""

    async def delete_before(self, topic: str, offset: int) -> None:
        """Have retention delete what is older than an offset of partition 0."""

    async def compact(self, topic: str) -> None:
        """Have the log of partition 0 compacted, but for its newest records."""

    async def close(self) -> None:
        """Give back what it holds."""
