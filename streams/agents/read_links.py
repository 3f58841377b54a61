"""What a batch of link records says, and the native reader that takes most of them off Python's hands."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Protocol

from flatline.agents.link_questions import LinkQuestions, parameters
from flatline.domain.imports.recent_links import RecentLink
from flatline.domain.policy.ignore import Ignored
from flatline.domain.state.article import LinkObservation
from flatline.engine.log import MicroBatch, Record


class ReadLinks:
    """What records say that are applied here.

    ``observations``  by the key of the article, in their order
    ``clamped``       by source, how many of them say another time than can be
    ``recent``        the links that say their moment
    ``newest``        the last record of each source, but for imports: enough to learn of the source, at next to no cost
                      an event
    ``labelling``     sources that label imports
    ``day_ends_ms``   the end of the UTC day of the records: of those of another day, `newest` is kept apart
    """

    __slots__ = ("clamped", "day_ends_ms", "labelling", "newest", "observations", "recent")

    def __init__(self) -> None:
        self.observations: defaultdict[bytes, list[LinkObservation]] = defaultdict(list)
        self.clamped: Counter[str | None] = Counter()
        self.recent: list[RecentLink] = []
        self.newest: dict[str | None, Record] = {}
        self.labelling: set[str | None] = set()
        self.day_ends_ms = 0


class _NativeReader(Protocol):
    """`LinkReader` of flatline_core."""

    def read(self, records: list[Record], at: int, partition: int, said: ReadLinks) -> int:
        """Read records from the one at ``at`` on, and return where the first is that Python has to read.

        What is read is added to ``said``, just as Python would. Any record may be left to Python: the first of a day,
        and all of which anything is odd.
        """


class LinkRecords:
    """Yields the records of a batch that Python has to read: all of them without a native core."""

    def __init__(self, core: ModuleType | None, *, partitions: int, ignored: Ignored | None) -> None:
        """``partitions``: those of the topic of links."""
        self._native: _NativeReader | None = None
        if core is not None:
            questions = LinkQuestions(partitions=partitions, ignored=ignored)
            self._native = core.LinkReader(questions, LinkObservation, parameters())

    def left_to_python(self, batch: MicroBatch, said: ReadLinks) -> Iterator[Record]:
        """Yield the records in their order; before each, those before it that the native core read are in ``said``."""
        if self._native is None:
            yield from batch.records
            return
        records, at = _as_list(batch.records), 0
        while (at := self._native.read(records, at, batch.partition, said)) < len(records):
            yield records[at]
            at += 1


def _as_list(records: Sequence[Record]) -> list[Record]:
    return records if isinstance(records, list) else list(records)
