"""Up to SEGMENT_LINKS_MAX links of an article, in columns: as small as their bytes, and searched without unpacking.

An article with 100,000 links must not rewrite them all with each new one, so its links are kept in segments by the
fingerprint of the referring page, and only the segments that changed are written again.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final, Literal, NamedTuple

from flatline.domain.state import link, link_traits, look
from flatline.domain.state.link import Effect, Link
from flatline.domain.state.look import Look, look_at
from flatline.domain.urls.fingerprints import DOMAIN_BYTES, PAGE_BYTES

SEGMENT_LINKS_MAX: Final = 128

_INSTANT: Final = (1 << 48) - 1
_FLAGS: Final = (1 << link.FLAG_BITS) - 1
_OF_LOOK: Final = look.ALL & _FLAGS
_OF_LOOK_TRAITS: Final = look.ALL >> link.FLAG_BITS
_WIDTHS: Final = (PAGE_BYTES, DOMAIN_BYTES, 8, link_traits.BYTES)  # of the columns that every link is in


class Applied(NamedTuple):
    """What an event did, and whether anything at all was learned from it."""

    effect: Effect
    is_news: bool


# Of a link: its number in ``facts``, its traits, and the fingerprint of its domain.
LinkRow = tuple[int, int, bytes]


class KnownLink(NamedTuple):
    """All that is known of a link; ``page`` and ``domain`` are fingerprints of the referring page and of its domain.

    ``looked``: when each part of its look was said.
    """

    page: bytes
    domain: bytes
    link: Link
    traits: int
    looked: look.Times


NOTHING_NEW: Final = Applied(Effect.SEEN_AGAIN, is_news=False)
_NEWS: Final = {effect: Applied(effect, is_news=True) for effect in Effect}


class Segment:
    """Links in the order in which they came.

    ``pages``    PAGE_BYTES of fingerprint each, of the canonical referring page
    ``domains``  DOMAIN_BYTES of fingerprint each, of the referring domain
    ``facts``    a number each: the instant of the first gain, shifted by FLAG_BITS, and the flags
    ``traits``   link_traits.BYTES each
    ``newest``   the instant of the newest change, where it is not that of the first gain
    ``looked``   when the parts of its look were said, where not all of them were said at the first gain, or all at the
                 newest change, which its facts say (LOOKED_AT_NEWEST)
    ``lost_reasons``  the code of the reason of the newest loss, where the link is not live and one was said
    """

    __slots__ = ("domains", "facts", "looked", "lost_reasons", "newest", "pages", "traits")

    def __init__(
        self, pages: bytes = b"", domains: bytes = b"", facts: bytes = b"", traits: bytes = b"", newest: bytes = b""
    ) -> None:
        self.pages = bytearray(pages)
        self.domains = bytearray(domains)
        self.facts = _array("Q", facts)
        self.traits = _array("I", traits)
        self.newest: dict[int, int] = {}
        self.looked: dict[int, look.Times] = {}
        self.lost_reasons: dict[int, int] = {}
        self._restore(_array("Q", newest))

    def __len__(self) -> int:
        return len(self.facts)

    def apply(
        self,
        page: bytes,
        domain: bytes,
        gained: bool,
        at_ms: int,
        flags_and_traits: int,
        *,
        looked_ms: int = 0,
        lost_reason: int = link.NOT_KNOWN,
    ) -> Applied:
        """Apply an event about the link from ``page``.

        ``flags_and_traits``  flags as for `link.seen`, and above `link.FLAG_BITS` the link's traits
        ``looked_ms``         when it looked like that; 0: at ``at_ms``
        ``lost_reason``       of a loss, as for `link.seen`
        """
        flags = flags_and_traits & _FLAGS
        at = self._find(page)
        if at < 0:
            if gained:
                self.facts.append(at_ms << link.FLAG_BITS | flags | link.GAINED | link.LIVE)
                self.traits.append(flags_and_traits >> link.FLAG_BITS)
                if looked_ms > at_ms and flags_and_traits & look.ALL:
                    self.looked[len(self.facts) - 1] = look_at(flags_and_traits, looked_ms).times
            else:
                self.newest[len(self.facts)] = at_ms
                if lost_reason:
                    self.lost_reasons[len(self.facts)] = lost_reason
                self.facts.append(link.LOST)
                self.traits.append(0)
            self.pages += page
            self.domains += domain
            return _NEWS[Effect.GAINED if gained else Effect.SEEN_AGAIN]
        number = at // PAGE_BYTES
        fact, known = self.facts[number], self.traits[number]
        traits = link_traits.joined(known, flags_and_traits >> link.FLAG_BITS) if gained else known
        if gained and fact >> link.FLAG_BITS == at_ms and fact & flags == flags and traits == known and not looked_ms:
            return NOTHING_NEW  # the same event once more, by far the most usual case
        before = self.link(number)
        after = link.seen(before, gained=gained, at_ms=at_ms, flags=flags, lost_reason=lost_reason)
        if self._keeps_look(number, after) and not (gained and flags_and_traits & look.ALL):
            is_news = after != before or traits != known
            if is_news:
                self.traits[number] = traits
                self._set_changes(number, after, after.flags)
        else:
            seen = look_at(flags_and_traits, looked_ms or at_ms) if gained else Look()
            is_news = self._put(number, before, after, traits, seen)
        return _NEWS[link.effect(before, after, gained=gained)] if is_news else NOTHING_NEW

    def _find(self, page: bytes) -> int:
        at = self.pages.find(page)
        while at % PAGE_BYTES and at > 0:  # the end of one fingerprint and the beginning of the next
            at = self.pages.find(page, at + 1)
        return at

    def join(self, known: KnownLink) -> bool:
        """Add all that is known elsewhere of a link; return whether that is news."""
        page, domain, other, traits, times = known
        at = self._find(page)
        if at < 0:
            number = len(self.facts)
            self.pages += page
            self.domains += domain
            self.facts.append(0)
            self.traits.append(traits)
            self._set(number, other, times)
            return True
        return self.join_at(at // PAGE_BYTES, other, traits, times)

    def join_at(self, number: int, other: Link, traits: int, times: look.Times) -> bool:
        """Add all that is known elsewhere of the link at a place; return whether that is news."""
        before = self.link(number)
        seen = Look((other.flags | traits << link.FLAG_BITS) & look.ALL, times)
        after, traits = link.joined(before, other), link_traits.joined(self.traits[number], traits)
        return self._put(number, before, after, traits, seen)

    def joined_with(self, places: Mapping[int, tuple[Segment, int]]) -> Segment:
        """Return a segment with what is known elsewhere of its links, by their `page_numbers`: in whose which place."""
        numbers = self.page_numbers()
        if places.keys().isdisjoint(numbers):
            return self
        joined = self.copy()
        for number, page in enumerate(numbers):
            if page not in places:
                continue
            other, place = places[page]
            if not joined.join_gain(number, other, place):
                known = other.link(place)
                joined.join_at(number, known, other.traits[place], other.look_of(place, known).times)
        return joined

    def join_gain(self, number: int, other: Segment, place: int) -> bool:
        """Join the link at a place of another segment, if each was only gained, and their looks don't differ.

        That is by far the most usual case, and a tenth of a million of it must take no time. Return whether it was.
        """
        if place in other.newest or number in self.newest or place in other.looked or number in self.looked:
            return False
        earlier, later = self.facts[number], other.facts[place]
        traits, traits_of_later = self.traits[number], other.traits[place]
        joined = link_traits.joined(traits, traits_of_later)
        if earlier >> link.FLAG_BITS == later >> link.FLAG_BITS:
            self.facts[number] = earlier | later
            self.traits[number] = joined
            return True
        if later < earlier:
            earlier, later, traits, traits_of_later = later, earlier, traits_of_later, traits
        before = earlier & _OF_LOOK, traits & _OF_LOOK_TRAITS
        newest = later & _OF_LOOK, traits_of_later & _OF_LOOK_TRAITS
        if any(before) and any(newest) and before != newest:
            return False
        self.facts[number] = earlier & ~link.LIVE | later & (_FLAGS & ~link.ORGANIC)
        if any(newest):
            self.facts[number] |= link.LOOKED_AT_NEWEST
        self.newest[number] = later >> link.FLAG_BITS
        self.traits[number] = joined
        return True

    def known(self) -> Iterator[KnownLink]:
        """Return all that is known of each link."""
        for number in range(len(self)):
            page = bytes(self.pages[number * PAGE_BYTES : (number + 1) * PAGE_BYTES])
            domain = bytes(self.domains[number * DOMAIN_BYTES : (number + 1) * DOMAIN_BYTES])
            known = self.link(number)
            yield KnownLink(page, domain, known, self.traits[number], self.look_of(number, known).times)

    def without_signs_of_life(self, instants: Container[int]) -> Segment:
        """Return it with the links first gained at these instants as no signs of life; itself where none of them is."""
        numbers = [
            number
            for number, fact in enumerate(self.facts)
            if fact & link.ORGANIC and fact >> link.FLAG_BITS in instants
        ]
        if not numbers:
            return self
        without = self.copy()
        for number in numbers:
            without.facts[number] &= ~link.ORGANIC
        return without

    def page_numbers(self) -> array[int]:
        """Return the fingerprints of the pages as numbers, in this machine's byte order."""
        return array("Q", bytes(self.pages))

    def copy(self) -> Segment:
        """Return one that knows the same, and changes by itself."""
        copied = Segment()
        copied.pages, copied.domains = self.pages[:], self.domains[:]
        copied.facts, copied.traits = self.facts[:], self.traits[:]
        copied.newest, copied.looked = dict(self.newest), dict(self.looked)
        copied.lost_reasons = dict(self.lost_reasons)
        return copied

    def link(self, number: int) -> Link:
        """Return the link at a place."""
        fact = self.facts[number]
        first_ms = fact >> link.FLAG_BITS
        flags = fact & _FLAGS & ~link.LOOKED_AT_NEWEST
        newest_ms = self.newest.get(number)
        if newest_ms is None:
            return Link(first_ms, first_ms, flags)
        return Link(first_ms, newest_ms, flags, self.lost_reasons.get(number, link.NOT_KNOWN))

    def _keeps_look(self, number: int, after: Link) -> bool:
        """Whether all of the look of the link at a place was said at its first gain, and that stays the first."""
        fact = self.facts[number]
        if fact & link.LOOKED_AT_NEWEST or number in self.looked:
            return False
        return after.first_gained_ms == fact >> link.FLAG_BITS or not (fact & _OF_LOOK or self.traits[number])

    def look_of(self, number: int, known: Link) -> Look:
        """Return how the link at a place looks, of which the rest is known."""
        marks = (known.flags | self.traits[number] << link.FLAG_BITS) & look.ALL
        times = self.looked.get(number)
        if times is not None:
            return Look(marks, times)
        is_newest = self.facts[number] & link.LOOKED_AT_NEWEST
        return look_at(marks, known.newest_ms if is_newest else known.first_gained_ms)

    def _put(self, number: int, before: Link, after: Link, traits: int, seen: Look) -> bool:
        """Keep what is known now of the link at a place, and how it was seen to look; return whether that is news.

        Of ``after`` and ``traits`` the look is left out.
        """
        look_before = self.look_of(number, before)
        looks = look.joined(look_before, seen)
        flags = after.flags & ~_OF_LOOK | looks.marks & _OF_LOOK
        after = Link(after.first_gained_ms, after.newest_ms, flags, after.lost_reason)
        traits = traits & ~_OF_LOOK_TRAITS | looks.marks >> link.FLAG_BITS
        if after == before and traits == self.traits[number] and looks == look_before:
            return False
        self.traits[number] = traits
        self._set(number, after, looks.times)
        return True

    def _set(self, number: int, after: Link, looked: look.Times) -> None:
        flags = after.flags
        newest_ms = max(looked)
        is_at_once = looked.count(newest_ms) + looked.count(0) == len(looked)
        if not newest_ms or (is_at_once and newest_ms == after.first_gained_ms):
            self.looked.pop(number, None)
        elif is_at_once and newest_ms == after.newest_ms:
            flags |= link.LOOKED_AT_NEWEST
            self.looked.pop(number, None)
        else:
            self.looked[number] = looked
        self._set_changes(number, after, flags)

    def _set_changes(self, number: int, after: Link, flags: int) -> None:
        self.facts[number] = after.first_gained_ms << link.FLAG_BITS | flags
        if after.newest_ms == after.first_gained_ms:
            self.newest.pop(number, None)
        else:
            self.newest[number] = after.newest_ms
        if after.lost_reason:
            self.lost_reasons[number] = after.lost_reason
        elif self.lost_reasons:
            self.lost_reasons.pop(number, None)

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
            if number in self.looked:
                chosen.looked[len(chosen)] = self.looked[number]
            if number in self.lost_reasons:
                chosen.lost_reasons[len(chosen)] = self.lost_reasons[number]
            chosen.pages += self.pages[number * PAGE_BYTES : (number + 1) * PAGE_BYTES]
            chosen.domains += self.domains[number * DOMAIN_BYTES : (number + 1) * DOMAIN_BYTES]
            chosen.facts.append(self.facts[number])
            chosen.traits.append(self.traits[number])
        return chosen

    def encode(self) -> bytes:
        """Return all columns, after the number of links.

        A link that is in ``looked`` or ``lost_reasons`` has several numbers in the last one: its newest change is the
        last of them, which is the one that older versions take. The first holds the reason above the codes of the look,
        where versions that know only looks leave it out.
        """
        newest = array("Q")
        for number in self.newest | self.looked if self.looked else self.newest:
            numbers = [*self._packed(number), self.link(number).newest_ms]
            newest.extend(number << 48 | each for each in numbers)
        columns = (self.pages, self.domains, _little(self.facts), _little(self.traits), _little(newest))
        return b"".join((len(self).to_bytes(2, "little"), *columns))

    def _packed(self, number: int) -> list[int]:
        """Return what is written of a link before its newest change: nothing of most links."""
        times, reason = self.looked.get(number), self.lost_reasons.get(number, link.NOT_KNOWN)
        if times is None and not reason:
            return []
        codes, *instants = look.packed(times or look.NEVER)
        return [reason << look.CODES_BITS | codes, *instants]

    def _restore(self, instants: array[int]) -> None:
        """Take the last column apart, as `encode` made it. Raise ValueError on other numbers."""
        further: dict[int, list[int]] = {}
        for each in instants:
            number, instant = each >> 48, each & _INSTANT
            if number in self.newest:
                further.setdefault(number, []).append(self.newest[number])
            self.newest[number] = instant
        for number, before in further.items():
            if number >= len(self.facts):
                raise ValueError(f"there is no link {number} of {len(self.facts)}")
            times = look.unpacked(before)
            if times != look.NEVER:
                self.looked[number] = times
            if reason := before[0] >> look.CODES_BITS:
                self.lost_reasons[number] = reason
            if self.newest[number] == self.facts[number] >> link.FLAG_BITS:
                del self.newest[number]

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
