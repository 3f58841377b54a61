"""Up to SEGMENT_LINKS_MAX links of an article, in columns: as small as their bytes, and searched without unpacking.

An article with 100,000 links must not rewrite them all with each new one, so its links are kept in segments by the
fingerprint of the referring page, and only the segments that changed are written again.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final, Literal, NamedTuple

from flatline.domain.state import link, link_traits
from flatline.domain.state.link import Effect, Link
from flatline.domain.urls.fingerprints import DOMAIN_BYTES, PAGE_BYTES

SEGMENT_LINKS_MAX: Final = 128

_INSTANT: Final = (1 << 48) - 1
_FLAGS: Final = (1 << link.FLAG_BITS) - 1
_WIDTHS: Final = (PAGE_BYTES, DOMAIN_BYTES, 8, link_traits.BYTES)  # of the columns that every link is in


class Applied(NamedTuple):
    """What an event did, and whether anything at all was learned from it."""

    effect: Effect
    is_news: bool


# Of a link: its number in ``facts``, its traits, and the fingerprint of its domain.
LinkRow = tuple[int, int, bytes]


class KnownLink(NamedTuple):
    """All that is known of a link; ``page`` and ``domain`` are fingerprints of the referring page and of its domain."""

    page: bytes
    domain: bytes
    link: Link
    traits: int


NOTHING_NEW: Final = Applied(Effect.SEEN_AGAIN, is_news=False)
_NEWS: Final = {effect: Applied(effect, is_news=True) for effect in Effect}


class Segment:
    """Links in the order in which they came.

    ``pages``    PAGE_BYTES of fingerprint each, of the canonical referring page
    ``domains``  DOMAIN_BYTES of fingerprint each, of the referring domain
    ``facts``    a number each: the instant of the first gain, shifted by FLAG_BITS, and the flags
    ``traits``   link_traits.BYTES each
    ``newest``   the instant of the newest change, where it is not that of the first gain
    """

    __slots__ = ("domains", "facts", "newest", "pages", "traits")

    def __init__(
        self, pages: bytes = b"", domains: bytes = b"", facts: bytes = b"", traits: bytes = b"", newest: bytes = b""
    ) -> None:
        self.pages = bytearray(pages)
        self.domains = bytearray(domains)
        self.facts = _array("Q", facts)
        self.traits = _array("I", traits)
        self.newest = {each >> 48: each & _INSTANT for each in _array("Q", newest)}

    def __len__(self) -> int:
        return len(self.facts)

    def apply(self, page: bytes, domain: bytes, gained: bool, at_ms: int, flags_and_traits: int) -> Applied:
        """Apply an event about the link from ``page``.

        ``flags_and_traits``  flags as for `link.seen`, and above `link.FLAG_BITS` the link's traits
        """
        flags = flags_and_traits & _FLAGS
        at = self._find(page)
        if at < 0:
            if gained:
                self.facts.append(at_ms << link.FLAG_BITS | flags | link.GAINED | link.LIVE)
                self.traits.append(flags_and_traits >> link.FLAG_BITS)
            else:
                self.newest[len(self.facts)] = at_ms
                self.facts.append(link.LOST)
                self.traits.append(0)
            self.pages += page
            self.domains += domain
            return _NEWS[Effect.GAINED if gained else Effect.SEEN_AGAIN]
        number = at // PAGE_BYTES
        fact, known = self.facts[number], self.traits[number]
        traits = link_traits.joined(known, flags_and_traits >> link.FLAG_BITS) if gained else known
        if gained and fact >> link.FLAG_BITS == at_ms and fact & flags == flags and traits == known:
            return NOTHING_NEW  # the same event once more, by far the most usual case
        before = self.link(number)
        after = link.seen(before, gained=gained, at_ms=at_ms, flags=flags)
        if after == before and traits == known:
            return NOTHING_NEW
        self.traits[number] = traits
        self._set(number, after)
        return _NEWS[link.effect(before, after, gained=gained)]

    def _find(self, page: bytes) -> int:
        at = self.pages.find(page)
        while at % PAGE_BYTES and at > 0:  # the end of one fingerprint and the beginning of the next
            at = self.pages.find(page, at + 1)
        return at

    def join(self, known: KnownLink) -> bool:
        """Add all that is known elsewhere of a link; return whether that is news."""
        page, domain, other, traits = known
        at = self._find(page)
        if at < 0:
            number = len(self.facts)
            self.pages += page
            self.domains += domain
            self.facts.append(0)
            self.traits.append(traits)
            self._set(number, other)
            return True
        return self.join_at(at // PAGE_BYTES, other, traits)

    def join_at(self, number: int, other: Link, traits: int) -> bool:
        """Add all that is known elsewhere of the link at a place; return whether that is news."""
        before, traits_before = self.link(number), self.traits[number]
        after, self.traits[number] = link.joined(before, other), link_traits.joined(traits_before, traits)
        self._set(number, after)
        return after != before or self.traits[number] != traits_before

    def joined_with(self, places: Mapping[int, tuple[Segment, int]]) -> Segment:
        """Return a segment with what is known elsewhere of its links, by their `page_numbers`: in whose which place."""
        numbers = self.page_numbers()
        if places.keys().isdisjoint(numbers):
            return self
        joined = self.copy()
        facts, newest, traits = joined.facts, joined.newest, joined.traits
        for number, page in enumerate(numbers):
            if page not in places:
                continue
            other, place = places[page]
            if place in other.newest or number in newest:
                joined.join_at(number, other.link(place), other.traits[place])
                continue
            # Two gains, at most: by far the most usual case, of which a tenth of a million must take no time.
            earlier, later = facts[number], other.facts[place]
            if later < earlier:
                earlier, later = later, earlier
            if earlier >> link.FLAG_BITS == later >> link.FLAG_BITS:
                facts[number] = earlier | later
            else:
                facts[number] = earlier & ~link.LIVE | later & (_FLAGS & ~link.ORGANIC)
                newest[number] = later >> link.FLAG_BITS
            traits[number] = link_traits.joined(traits[number], other.traits[place])
        return joined

    def known(self) -> Iterator[KnownLink]:
        """Return all that is known of each link."""
        for number in range(len(self)):
            page = bytes(self.pages[number * PAGE_BYTES : (number + 1) * PAGE_BYTES])
            domain = bytes(self.domains[number * DOMAIN_BYTES : (number + 1) * DOMAIN_BYTES])
            yield KnownLink(page, domain, self.link(number), self.traits[number])

    def page_numbers(self) -> array[int]:
        """Return the fingerprints of the pages as numbers, in this machine's byte order."""
        return array("Q", bytes(self.pages))

    def copy(self) -> Segment:
        """Return one that knows the same, and changes by itself."""
        copied = Segment()
        copied.pages, copied.domains = self.pages[:], self.domains[:]
        copied.facts, copied.traits, copied.newest = self.facts[:], self.traits[:], dict(self.newest)
        return copied

    def link(self, number: int) -> Link:
        """Return the link at a place."""
        fact = self.facts[number]
        first_ms = fact >> link.FLAG_BITS
        return Link(first_ms, self.newest.get(number, first_ms), fact & _FLAGS)

    def _set(self, number: int, after: Link) -> None:
        self.facts[number] = after.first_gained_ms << link.FLAG_BITS | after.flags
        if after.newest_ms == after.first_gained_ms:
            self.newest.pop(number, None)
        else:
            self.newest[number] = after.newest_ms

    def rows(self) -> Iterator[LinkRow]:
        """Return what the columns hold, link by link."""
        domains = bytes(self.domains)
        return zip(
            self.facts,
            self.traits,
            [domains[at : at + DOMAIN_BYTES] for at in range(0, len(domains), DOMAIN_BYTES)],
            strict=True,
        )

    def split(self) -> tuple[bytes, Segment]:
        """Move the upper half of the links out; return its lowest page fingerprint, and itself."""
        pages = [bytes(self.pages[at : at + PAGE_BYTES]) for at in range(0, len(self.pages), PAGE_BYTES)]
        low = sorted(pages)[len(pages) // 2]
        lower = self.chosen(number for number, page in enumerate(pages) if page < low)
        upper = self.chosen(number for number, page in enumerate(pages) if page >= low)
        for column in self.__slots__:
            setattr(self, column, getattr(lower, column))
        return low, upper

    def chosen(self, numbers: Iterable[int]) -> Segment:
        """Return a segment of the links at these places."""
        chosen = Segment()
        for number in numbers:
            if number in self.newest:
                chosen.newest[len(chosen)] = self.newest[number]
            chosen.pages += self.pages[number * PAGE_BYTES : (number + 1) * PAGE_BYTES]
            chosen.domains += self.domains[number * DOMAIN_BYTES : (number + 1) * DOMAIN_BYTES]
            chosen.facts.append(self.facts[number])
            chosen.traits.append(self.traits[number])
        return chosen

    def encode(self) -> bytes:
        """Return all columns, after the number of links."""
        newest = array("Q", [number << 48 | newest_ms for number, newest_ms in self.newest.items()])
        columns = (self.pages, self.domains, _little(self.facts), _little(self.traits), _little(newest))
        return b"".join((len(self).to_bytes(2, "little"), *columns))

    @classmethod
    def decode(cls, encoded: bytes) -> Segment:
        """Return the segment of these bytes; raise ValueError on others."""
        links, columns = int.from_bytes(encoded[:2], "little"), encoded[2:]
        begins = list(accumulate((links * width for width in _WIDTHS), initial=0))
        if len(columns) < begins[-1]:
            raise ValueError(f"{len(encoded)} bytes do not hold {links} links")
        return cls(*(columns[begin:end] for begin, end in zip(begins, [*begins[1:], None], strict=True)))


def _array(typecode: Literal["I", "Q"], encoded: bytes) -> array[int]:
    numbers = array(typecode, encoded)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _little(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()
