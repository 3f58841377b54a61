"""Counts the links of each moment over all partitions. The sums are unions, so order and repetition don't matter."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from itertools import takewhile
from typing import Final

from xxhash import xxh3_64_intdigest

from flatline.domain.imports.moments import Moment
from flatline.domain.time import to_datetime, to_ms
from flatline.schema import codec
from flatline.schema.recognised_import import FINGERPRINT_BITS, ImportPart, RecognisedImport

LINKS_MIN: Final = 50
PAGES_MIN: Final = 8
"""On public histories whose imports are labelled, so many links of one moment from so many pages are an import with a
precision of 0.84, and 0.97 of the imported links are found (`tests/backtest/test_unlabelled_imports.py`)."""

MOMENTS_MAX: Final = 20_000
"""Of those that are not recognised yet, and of those that wait to be announced. A further one displaces the oldest."""

_MASK: Final = (1 << FINGERPRINT_BITS) - 1


class MomentCount:
    """The distinct links and pages of a moment, each up to the number that the rule asks for: more say no more."""

    __slots__ = ("links", "number", "pages")

    def __init__(self, number: int = 0) -> None:
        """Make an empty one. ``number``: how many moments came up to it."""
        self.links: set[int] = set()
        self.pages: set[int] = set()
        self.number = number

    def add(self, links: Iterable[int], pages: Iterable[int]) -> None:
        """Add fingerprints of links and pages."""
        for known, more, enough in ((self.links, links, LINKS_MIN), (self.pages, pages, PAGES_MIN)):
            for each in more:
                if len(known) >= enough:
                    break
                known.add(each)

    def add_link(self, article: bytes, page: bytes) -> None:
        """Add a link by the key of its article and the fingerprint of its page."""
        if not self.is_import:
            self.add([xxh3_64_intdigest(article + page) & _MASK], [int.from_bytes(page) & _MASK])

    @property
    def is_import(self) -> bool:
        """Whether they are so many that a collection was imported."""
        return len(self.links) >= LINKS_MIN and len(self.pages) >= PAGES_MIN


class ImportCounts:
    """The counts of moments.

    ``recognised``  of those that are imports; whoever has announced one takes it out
    """

    def __init__(self) -> None:
        self._counts: dict[Moment, MomentCount] = {}
        self._moments = 0
        self.recognised: dict[Moment, MomentCount] = {}

    def __contains__(self, moment: object) -> bool:
        return moment in self._counts

    def receive_record(self, _key: bytes, value: bytes | None, _recorded_ms: int = 0) -> None:
        """Take a part that a partition counted. Raises Rejected."""
        if value is not None:
            self.receive(codec.import_parts.decode(value))

    def receive(self, part: ImportPart) -> None:
        """Take a part that a partition counted."""
        moment = part.source, to_ms(part.occurred_at)
        count = self._counts.get(moment)
        if count is None:
            self._moments += 1
            count = self._counts[moment] = MomentCount(self._moments)
            _shorten(self._counts)
        count.add(part.links, part.pages)
        if count.is_import and moment not in self.recognised:
            self.recognised[moment] = count
            _shorten(self.recognised)

    def among(self, moments: AbstractSet[Moment]) -> AbstractSet[Moment]:
        """Return those of these moments that are counted."""
        return moments & self._counts.keys()

    @property
    def newest(self) -> int:
        """The number of the moment that came last."""
        return self._moments

    def since(self, number: int) -> Iterator[Moment]:
        """Yield the moments that came after the one with this number, the newest first."""
        return takewhile(lambda moment: self._counts[moment].number > number, reversed(self._counts))


def part_of(moment: Moment, links: Iterable[tuple[bytes, bytes]]) -> ImportPart:
    """Return what a partition counts of a moment, as a record, given keys of articles and fingerprints of pages."""
    count, (source, at_ms) = MomentCount(), moment
    for article, page in links:
        count.add_link(article, page)
    return ImportPart(source, to_datetime(at_ms), sorted(count.links), sorted(count.pages))


def recognised_import(moment: Moment, count: MomentCount) -> RecognisedImport:
    """Return the record of an import that was recognised."""
    source, at_ms = moment
    return RecognisedImport(source, to_datetime(at_ms), len(count.links), len(count.pages))


def _shorten(counts: dict[Moment, MomentCount]) -> None:
    if len(counts) > MOMENTS_MAX:
        del counts[next(iter(counts))]
