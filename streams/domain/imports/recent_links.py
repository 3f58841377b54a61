"""The newest links of a partition by their moments, from which imports are counted.

An import that has no label is recognised after its first links were counted, in parts on many partitions. So each
remembers its newest links. They are kept in blocks: one more link writes one block, and a block takes the place of the
oldest one, so neither memory nor changelog grows.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from msgspec import msgpack

from flatline.domain.imports.counts import LINKS_MIN, PAGES_MIN
from flatline.domain.imports.moments import Moment

BLOCK_LINKS: Final = 32
BLOCKS: Final = 256

RecentLink = tuple[str, int, bytes, bytes]
"""A moment's source and instant, the key of the article, and the fingerprint of the page that links to it."""
_Block = list[RecentLink]
_Numbered = tuple[int, _Block]
_NO_LINKS: Final[dict[RecentLink, None]] = {}


class RecentLinks:
    """The newest BLOCKS * BLOCK_LINKS links of a partition that say their moment."""

    def __init__(self) -> None:
        self._blocks: deque[_Block] = deque()
        self._newest = 0  # the number of the newest block; the first one is 1
        self._by_moment: dict[Moment, dict[RecentLink, None]] = {}
        self._published: dict[Moment, tuple[int, int]] = {}  # how many links and pages
        self._changed_from: int | None = None  # the number of the first block that is to be written
        self._grown: set[Moment] = set()
        self._restored: dict[int, _Numbered] = {}
        self._labelling: set[str] = set()

    def __contains__(self, moment: object) -> bool:
        return moment in self._by_moment

    def add(self, links: Iterable[RecentLink]) -> None:
        """Add links. Adding one again changes nothing. Every event comes through here, so it does little."""
        by_moment, grown, fresh = self._by_moment, self._grown, []
        for each in links:
            moment = each[:2]
            known = by_moment.get(moment)
            if known is None:
                by_moment[moment] = {each: None}
            elif each in known:
                continue
            else:
                known[each] = None
            grown.add(moment)
            fresh.append(each)
        if fresh:
            self._append(fresh)

    def _append(self, fresh: list[RecentLink]) -> None:
        last = self._blocks[-1] if self._blocks else []
        room = BLOCK_LINKS - len(last) if self._blocks else 0
        if self._changed_from is None:
            self._changed_from = self._newest if room else self._newest + 1
        last += fresh[:room]
        for at in range(room, len(fresh), BLOCK_LINKS):
            self._blocks.append(fresh[at : at + BLOCK_LINKS])
            self._newest += 1
        while len(self._blocks) > BLOCKS:
            self._forget(self._blocks.popleft())

    def _forget(self, block: _Block) -> None:
        by_moment = self._by_moment
        for each in block:
            moment = each[:2]
            links = by_moment[moment]
            if len(links) > 1:
                del links[each]
            else:
                del by_moment[moment]
                self._published.pop(moment, None)

    def articles(self, moment: Moment) -> set[bytes]:
        """Return the keys of the articles that gained links at a moment."""
        return {article for _, _, article, _ in self.links(moment)}

    def links(self, moment: Moment) -> Collection[RecentLink]:
        """Return the links of a moment."""
        return self._by_moment.get(moment, _NO_LINKS)

    def grown(self, moment: Moment, *, links_min: int) -> bool:
        """Whether more is known of a moment than was published, and so many links at least: then publish it.

        More than the rule asks for is not more.
        """
        links = self.links(moment)
        if len(links) < links_min:
            return False
        published = self._published.get(moment, (0, 0))
        pages = len({page for *_, page in links}) if published[1] < PAGES_MIN else PAGES_MIN
        self._published[moment] = min(len(links), LINKS_MIN), min(pages, PAGES_MIN)
        return self._published[moment] != published

    def take_grown(self) -> set[Moment]:
        """Return the moments of the links that were added since this was last asked, some of them forgotten."""
        grown, self._grown = self._grown, set()
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
        return self._changed_from is not None

    def take_changes(self) -> Iterator[tuple[int, bytes]]:
        """Yield the blocks that changed since this was last asked, by their places."""
        changed_from, self._changed_from = self._changed_from, None
        if changed_from is None:
            return
        first = self._newest - len(self._blocks) + 1
        for number in range(max(changed_from, first), self._newest + 1):
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
            for each in restored.get(number, ()):
                known = self._by_moment.setdefault(each[:2], {})
                if each not in known:
                    known[each] = None
                    block.append(each)
        self._grown = set(self._by_moment)
