"""The imports that were recognised, and what that means for the links of an article."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from flatline.domain.imports.moments import Moment
from flatline.domain.time import to_ms
from flatline.schema import codec

NONE: Final[frozenset[int]] = frozenset()


class Imports:
    """All imports that are known. It grows in any order, and receiving a record again changes nothing.

    ``log``       their moments as they came to matter or ceased to, in that order: whoever knows its first n may look
                  at the others only
    ``labelling`` the sources that label their imports: of these none is recognised
    """

    def __init__(self) -> None:
        self._instants: defaultdict[str, frozenset[int]] = defaultdict(frozenset)
        self.labelling: set[str] = set()
        self.log: list[Moment] = []

    def __contains__(self, moment: Moment) -> bool:
        source, at_ms = moment
        return at_ms in self._instants.get(source, NONE)

    def recognise(self, moment: Moment) -> None:
        """Note that a moment is an import."""
        if moment not in self:
            source, at_ms = moment
            self._instants[source] |= {at_ms}
            self.log.append(moment)

    def believe(self, source: str) -> None:
        """Note that a source labels its imports."""
        if source not in self.labelling:
            self.labelling.add(source)
            self.log += [(source, at_ms) for at_ms in sorted(self._instants.get(source, NONE))]

    def receive_record(self, key: bytes, value: bytes | None, _recorded_ms: int = 0) -> None:
        """Take a record of the topic. Raises Rejected."""
        if value is None:
            return
        if b" " in key:
            record = codec.imports.decode(value)
            self.recognise((record.source, to_ms(record.occurred_at)))
        else:
            self.believe(codec.labelling_sources.decode(value).source)

    def moments_of(self, sources: Iterable[str]) -> Iterator[Moment]:
        """Yield the moments of all imports of an article's sources."""
        for source in sources:
            if source not in self.labelling:
                yield from ((source, at_ms) for at_ms in self._instants.get(source, NONE))

    def moments_at(self, instants: frozenset[int]) -> dict[int, list[str]]:
        """Return, of these instants, those at which any source imported, and the sources whose links count as such."""
        found: dict[int, list[str]] = {}
        for source, of_source in self._instants.items():
            for at_ms in of_source & instants:
                found.setdefault(at_ms, []).extend([] if source in self.labelling else [source])
        return found

    def instants_of(self, sources: Iterable[str]) -> frozenset[int]:
        """Return the instants of all imports of an article's sources: what was first gained then was imported.

        A link does not say who reported it first. That two sources of one article report at the same millisecond, and
        only one of them imports, is left out of account.
        """
        found = [
            self._instants[source] for source in sources if source in self._instants and source not in self.labelling
        ]
        return found[0] if len(found) == 1 else NONE.union(*found)


def key_of_import(moment: Moment) -> bytes:
    """Return the key of the record of a recognised import. No source has a space in its name."""
    source, at_ms = moment
    return f"{source} {at_ms}".encode()
