"""All that is accumulated of one article.

Totals, days and domains follow from the link registers and are rebuilt from them when an article is decoded, so a state
whose parts were written at different moments still adds up. `Header` is what does not follow from the links.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from streams.domain import link
from streams.domain.judgement import Standing
from streams.domain.rhythm import Rhythm, day_of
from streams.domain.segments import Segments

SOURCES_MAX: Final = 32

_RARE: Final = link.LOST | link.NOFOLLOW | link.UGC | link.SPONSORED


class Effect(StrEnum):
    """What an event did to what is known."""

    GAINED = "gained"  # a link that was not known before
    RESTORED = "restored"  # a lost link is back
    LOST = "lost"  # a live link is not live any more
    SEEN_AGAIN = "seen_again"  # nothing new


class Registration(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the team registered about the article."""

    title: str | None = None
    author: str | None = None
    series: str | None = None
    strategy: str | None = None
    tier: int | None = None  # None: not registered
    published_ms: int | None = None
    recorded_ms: int = 0  # when its record was written


class Header(msgspec.Struct, array_like=True, gc=False):
    """What does not follow from the links."""

    watched_since_ms: int
    sources: dict[str, int] = {}  # source -> event time in ms of the newest gain it reported
    registration: Registration = Registration()
    standing: Standing | None = None


class _Record(msgspec.Struct, array_like=True, gc=False):
    """The header and the first segments: all there is of an article with few links."""

    header: Header
    links: bytes
    domains: bytes


class SegmentId(NamedTuple):
    """Names a segment beyond the first: of the links (``l``) or the domains (``d``), and its lowest fingerprint."""

    kind: str
    low: int


_encode_record = msgspec.msgpack.Encoder().encode
_decode_record = msgspec.msgpack.Decoder(_Record).decode


class Article:
    """The state of one article, in memory."""

    __slots__ = (
        "_last_gained_ms",
        "_rhythm",
        "days",
        "domains",
        "first_gained_ms",
        "gained",
        "header",
        "is_changed",
        "links",
        "live",
        "lost",
        "nofollow",
        "sponsored",
        "ugc",
    )

    def __init__(self, header: Header, links: Segments | None = None, domains: Segments | None = None) -> None:
        self.header = header
        self.links = links or Segments(link.REGISTER_BYTES)
        self.domains = domains or Segments(0)
        self.gained = self.lost = self.live = self.nofollow = self.ugc = self.sponsored = 0
        self.first_gained_ms = 0
        self._last_gained_ms: int | None = 0  # None: to be looked up among the links
        self.is_changed = False  # since it was last encoded
        self.days: dict[int, int] = {}  # UTC day -> links gained on it, without imports and first meetings
        self._rhythm: Rhythm | None = None
        for register in self.links.registers():
            self._count(register, 1)

    @classmethod
    def decode(cls, record: bytes, segments: Mapping[SegmentId, bytes]) -> "Article":
        """Return the article of a record and its further segments; raise msgspec.DecodeError on other bytes."""
        stored = _decode_record(record)
        links, domains = {0: stored.links}, {0: stored.domains}
        for (kind, low), encoded in segments.items():
            (links if kind == "l" else domains)[low] = encoded
        return cls(stored.header, Segments(link.REGISTER_BYTES, links), Segments(0, domains))

    def encode(self) -> bytes:
        """Return the record: the header and the first segments."""
        self.is_changed = False
        ((_, links),) = self.links.encode([0])
        ((_, domains),) = self.domains.encode([0])
        return _encode_record(_Record(self.header, links, domains))

    def encode_changed_segments(self) -> Iterator[tuple[SegmentId, bytes]]:
        """Yield the further segments that changed since the last call, in the order in which they must be written."""
        for kind, segments in (("l", self.links), ("d", self.domains)):
            for low, encoded in segments.encode(segments.changed - {0}):
                yield SegmentId(kind, low), encoded
            segments.changed.clear()

    @property
    def last_gained_ms(self) -> int:
        """Event time of the newest first gain of a link; 0 without any."""
        if self._last_gained_ms is None:
            self._last_gained_ms = max(map(link.first_gained_ms, self.links.registers()), default=0)
        return self._last_gained_ms

    @property
    def rhythm(self) -> Rhythm | None:
        """The summary of the link days; None without any."""
        if self._rhythm is None and self.days:
            self._rhythm = Rhythm.of(self.days)
        return self._rhythm

    def see(
        self, *, url_from: int, domain: int, gained: bool, at_ms: int, organic: bool, rel: int, source: str | None
    ) -> Effect:
        """Apply an event about the link from the page with fingerprint ``url_from``, of a domain likewise."""
        if gained:
            # Whether or not the link is known: its segment may have been written when that of its domain was not.
            self.is_changed |= self.domains.put(domain)
            if source is not None:
                self._credit(source, at_ms)
        before = self.links.get(url_from) or link.UNKNOWN
        after = link.seen(before, gained=gained, at_ms=at_ms, organic=organic, rel=rel)
        if after == before:
            return Effect.SEEN_AGAIN
        self.is_changed = True
        self.links.put(url_from, after)
        before_ms = link.first_gained_ms(before)
        if before_ms == self._last_gained_ms and before_ms != link.first_gained_ms(after):
            self._last_gained_ms = None
        if not before & link.GAINED:
            self._count(after, 1)
            return Effect.GAINED if gained else Effect.SEEN_AGAIN
        self._count(before, -1)
        self._count(after, 1)
        if after & link.LIVE:
            return Effect.SEEN_AGAIN if before & link.LIVE else Effect.RESTORED
        return Effect.LOST if before & link.LIVE else Effect.SEEN_AGAIN

    def _credit(self, source: str, at_ms: int) -> None:
        sources = self.header.sources
        if at_ms > sources.get(source, 0) and (source in sources or len(sources) < SOURCES_MAX):
            sources[source] = at_ms
            self.is_changed = True

    def _count(self, register: int, by: int) -> None:
        """Add (1) or take away (-1) what one link contributes to the totals."""
        if not register & link.GAINED:
            return
        self.gained += by
        if register & link.LIVE:
            self.live += by
        if register & _RARE:
            self.lost += by * bool(register & link.LOST)
            self.nofollow += by * bool(register & link.NOFOLLOW)
            self.ugc += by * bool(register & link.UGC)
            self.sponsored += by * bool(register & link.SPONSORED)
        gained_ms = link.first_gained_ms(register)
        if by > 0:
            if self._last_gained_ms is not None and gained_ms > self._last_gained_ms:
                self._last_gained_ms = gained_ms
            if gained_ms < self.first_gained_ms or not self.first_gained_ms:
                self.first_gained_ms = gained_ms
        if register & link.ORGANIC:
            day = day_of(gained_ms)
            count = self.days.get(day, 0) + by
            if count:
                self.days[day] = count
            else:
                del self.days[day]
            self._rhythm = None

    def gained_in_days(self, days: int, *, today: int) -> int:
        """Return the links gained in the last ``days`` UTC days, today included, without imports and first meetings."""
        return sum(count for day, count in self.days.items() if today - days < day <= today)
