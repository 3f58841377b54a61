"""The newest links of a partition by their moments, from which imports are counted.

An import that has no label is recognised after its first links were counted, in parts on many partitions. So each
remembers its newest links. They are kept in blocks: one more link writes one block, and a block takes the place of the
oldest one, so neither memory nor changelog grows.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import msgpack

from flatline.domain.imports.counts import LINKS_MIN, PAGES_MIN, SeenLink
from flatline.domain.imports.moments import Moment

BLOCK_LINKS: Final = 32
BLOCKS: Final = 256

_Block = list[tuple[str, int, bytes, bytes]]  # source, instant, article, page
_Numbered = tuple[int, _Block]


class _Links(dict[SeenLink, None]):
    """The links of a moment, in the order in which they came; and how many links and pages were published."""

    __slots__ = ("published",)

    def __init__(self) -> None:
        super().__init__()
        self.published = (0, 0)


class RecentLinks:
    """The newest BLOCKS * BLOCK_LINKS links of a partition that say their moment."""

    def __init__(self) -> None:
        self._blocks: deque[_Block] = deque()
        self._newest = 0  # the number of the newest block; the first one is 1
        self._by_moment: dict[Moment, _Links] = {}
        self._changed: set[int] = set()  # numbers of blocks
        self._grown: dict[Moment, None] = {}
        self._restored: dict[int, _Numbered] = {}
        self._labelling: set[str] = set()

    def __contains__(self, moment: object) -> bool:
        return moment in self._by_moment

    def add(self, links: Mapping[Moment, Iterable[SeenLink]]) -> None:
        """Add links by their moments. Adding one again changes nothing."""
        by_moment, grown = self._by_moment, self._grown
        for moment, seen in links.items():
            known = by_moment.get(moment)
            if known is None:
                known = by_moment[moment] = _Links()
            grown[moment] = None
            source, at_ms = moment
            for each in seen:
                if each not in known:
                    known[each] = None
                    self._append(source, at_ms, each)

    def _append(self, source: str, at_ms: int, seen: SeenLink) -> None:
        if not self._blocks or len(self._blocks[-1]) >= BLOCK_LINKS:
            self._blocks.append([])
            self._newest += 1
            if len(self._blocks) > BLOCKS:
                self._forget(self._blocks.popleft())
        self._blocks[-1].append((source, at_ms, *seen))
        self._changed.add(self._newest)

    def _forget(self, block: _Block) -> None:
        for source, at_ms, article, page in block:
            moment = source, at_ms
            links = self._by_moment[moment]
            del links[article, page]
            if not links:
                del self._by_moment[moment]

    def articles(self, moment: Moment) -> set[bytes]:
        """Return the keys of the articles that gained links at a moment."""
        return {article for article, _ in self._by_moment.get(moment, ())}

    def links(self, moment: Moment) -> Iterable[SeenLink]:
        """Return the links of a moment."""
        return self._by_moment.get(moment, ())

    def grown(self, moment: Moment, *, links_min: int) -> bool:
        """Whether more is known of a moment than was published, and so many links at least: then publish it.

        More than the rule asks for is not more.
        """
        links = self._by_moment.get(moment)
        if links is None or len(links) < links_min:
            return False
        pages = len({page for _, page in links}) if links.published[1] < PAGES_MIN else PAGES_MIN
        known = min(len(links), LINKS_MIN), min(pages, PAGES_MIN)
        is_more, links.published = known != links.published, known
        return is_more

    def take_grown(self) -> Iterable[Moment]:
        """Return the moments of the links that were added since this was last asked."""
        grown, self._grown = self._grown, {}
        return grown

    def note_labelling(self, sources: Iterable[str | None]) -> None:
        """Note sources that label imports; None is one without a name."""
        self._labelling.update(source for source in sources if source is not None)

    def take_labelling(self) -> Iterable[str]:
        """Return the sources that were noted since this was last asked."""
        labelling, self._labelling = self._labelling, set()
        return labelling

    @property
    def is_changed(self) -> bool:
        """Whether there is a block to be written."""
        return bool(self._changed)

    def take_changes(self) -> Iterator[tuple[int, bytes]]:
        """Yield the blocks that changed since this was last asked, by their places."""
        changed, self._changed = self._changed, set()
        first = self._newest - len(self._blocks) + 1
        for number in sorted(changed):
            if number >= first:
                yield number % BLOCKS, msgpack.encode((number, self._blocks[number - first]))

    def restore(self, place: int, encoded: bytes) -> None:
        """Take a block that was written; of several for a place the last counts. Raise ValueError on other bytes."""
        number, block = msgpack.decode(encoded, type=_Numbered)
        if number % BLOCKS != place:
            raise ValueError(f"block {number} has another place than {place}")
        self._restored[place] = number, block

    def begin(self) -> None:
        """Begin with the blocks that were restored. All their moments count as grown: what of them is known is not."""
        restored, self._restored = dict(self._restored.values()), {}
        if not restored:
            return
        self._newest = max(restored)
        for number in range(max(min(restored), self._newest - BLOCKS + 1), self._newest + 1):
            block: _Block = []
            self._blocks.append(block)
            for source, at_ms, article, page in restored.get(number, ()):
                known = self._by_moment.setdefault((source, at_ms), _Links())
                if (article, page) not in known:
                    known[article, page] = None
                    block.append((source, at_ms, article, page))
        self._grown = dict.fromkeys(self._by_moment)
