"""The state of one article, in memory and as the bytes of its changelog records."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Final

import msgspec

from flatline.domain.state.joining import joined_segments
from flatline.domain.state.link import NOT_KNOWN, Effect
from flatline.domain.state.previous_verdict import PreviousVerdict
from flatline.domain.state.reported_weeks import ReportedWeeks, is_of_newest_week, joined, with_report
from flatline.domain.state.rhythm import Rhythm
from flatline.domain.state.segment import SEGMENT_LINKS_MAX, KnownLink, Segment
from flatline.domain.state.totals import Totals, totals_of
from flatline.domain.state.visits import YEAR_BYTES, DayOfVisits, Visits
from flatline.domain.time import LATEST_MS, check_record_time, day_of, to_ms
from flatline.domain.urls.canonical import canonicalize_field
from flatline.errors import FlatlineError
from flatline.schema.article_record import ArticleRecord

SOURCES_MAX: Final = 32

FORMAT: Final = 2
"""The first byte of every value in the changelog. Fields may be added at the end of `Header` without raising it: older
workers leave out what they don't know, and newer ones take its default."""


class LinkObservation(msgspec.Struct, frozen=True, gc=False):
    """What an event says of a link. A NamedTuple would take four times as long to make.

    ``article``       the key of the article that it leads to
    ``page, domain``  fingerprints of the referring page and of its domain, as `Segment` keeps them
    ``is_gain``       whether the link was gained; else it was lost
    ``at_ms``         when; ``is_clamped`` if the event says another time, which can't be
    ``flags_and_traits``  as for `Segment.apply`
    ``source``        who reports it
    ``looked_ms``     when its link looked like that; 0: at ``at_ms``
    ``lost_reason``   of a loss, as `link.lost_reason_code` has it
    ``is_floor``      there are more links than are reported
    """

    article: bytes
    page: bytes
    domain: bytes
    is_gain: bool
    at_ms: int
    flags_and_traits: int
    source: str | None = None
    is_clamped: bool = False
    looked_ms: int = 0
    lost_reason: int = NOT_KNOWN
    is_floor: bool = False


class UnknownFormatError(FlatlineError):
    """The state was written in a format that this version does not know."""

    remedy = "Run the version of Flatline that wrote it, or a newer one."


class Registration(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the team registered about the article."""

    title: str | None = None
    author: str | None = None
    series: str | None = None
    strategy: str | None = None
    tier: int | None = None  # None: not registered
    published_ms: int | None = None
    recorded_ms: int = 0  # when its record was written
    aliases: tuple[str, ...] = ()  # keys of its former addresses

    @property
    def published_day(self) -> int | None:
        """The UTC day of publication; None where it is not registered."""
        return None if self.published_ms is None else day_of(self.published_ms)


def registration_of(record: ArticleRecord, *, recorded_ms: int) -> Registration:
    """Return the registration that an article record asks for.

    Raise `Rejected` where it has no possible time, and for an alias that is no URL.
    """
    check_record_time(recorded_ms)
    return Registration(
        title=record.title,
        author=record.author,
        series=record.series,
        strategy=record.strategy,
        tier=record.tier,
        published_ms=None if record.published_at is None else to_ms(record.published_at),
        recorded_ms=recorded_ms,
        aliases=tuple(sorted({canonicalize_field(alias, field="aliases") for alias in record.aliases})),
    )


def newer(one: Registration, other: Registration) -> Registration:
    """Return the registration that was written later; of two of the same time, the same one in either order."""
    return max(one, other, key=lambda each: (each.recorded_ms, each.aliases, msgspec.msgpack.encode(each)))


class Header(msgspec.Struct, array_like=True, gc=False):
    """What does not follow from the links."""

    watched_since_ms: int
    sources: dict[str, ReportedWeeks] = {}  # what each source reported
    registration: Registration = Registration()
    previous_verdict: PreviousVerdict | None = None
    removed_ms: int = 0  # what was first gained, reported or registered until then is forgotten
    moved_to: str | None = None  # the address to whose partition its changes are copied
    is_copy: bool = False  # of what another partition knows of an address that moved to this one
    floor_ms: int = 0  # the newest gain of which its source said that there are more links than it reports


NOTHING: Final = Header(watched_since_ms=LATEST_MS)
"""Of an article of which only some links or visits are known; never changed."""


class _Record(msgspec.Struct, array_like=True, gc=False):
    """The header and the first segment: all there is of an article with few links."""

    header: Header
    links: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Record).decode
FORMAT_BYTE: Final = bytes([FORMAT])
FORMATS_MAX: Final = 31
"""No text begins with such a byte: what somebody else wrote into the changelog is not taken for a later version's."""


def check_format(value: bytes) -> None:
    """Raise UnknownFormatError for a changelog value of another version, and ValueError for one of none."""
    if value[:1] == FORMAT_BYTE:
        return
    if not 0 < (value[0] if value else 0) <= FORMATS_MAX:
        raise ValueError(f"no state begins with {value[:9]!r}")
    raise UnknownFormatError(
        f"The state is in format {value[0]}, and this version of Flatline reads only format {FORMAT}."
    )


NO_VISITS: Final = Visits()
"""Of most articles; never changed."""


class Article:
    """The state of one article.

    Its links are in segments by their page fingerprints. Most articles have one; further ones have a low each, which is
    the lowest fingerprint that they may hold, and what is lower than all of these is in the first.
    ``is_dirty`` is for whoever keeps it.
    """

    __slots__ = (
        "__weakref__",
        "_changed",
        "_first",
        "_further",
        "_lows",
        "_rhythm",
        "_totals",
        "_visiting_domains",
        "_without_imports",
        "header",
        "is_dirty",
        "key",
        "visits",
    )

    def __init__(
        self,
        key: bytes,
        header: Header,
        first: Segment,
        further: Mapping[bytes, Segment] | None = None,
        visits: Visits = NO_VISITS,
    ) -> None:
        """``further``: segments by their lows."""
        self.key = key
        self.header = header
        self._first = first
        self._lows = sorted(further) if further else []
        self._further = [further[low] for low in self._lows] if further else []
        self._changed: set[bytes] | None = None  # lows of further segments; made when there are any
        self._totals: Totals | None = None
        self._rhythm: Rhythm | None = None
        self._visiting_domains: frozenset[bytes] | None = None
        self.visits = visits
        self._without_imports: tuple[frozenset[int], Article | None] | None = None
        self.is_dirty = False

    @classmethod
    def decode(cls, key: bytes, record: bytes, further: Mapping[bytes, bytes]) -> "Article":
        """Return the article of a record, of its further segments by their lows, and of its visits by their years.

        Raise UnknownFormatError, ValueError or msgspec.DecodeError on other bytes.
        """
        check_format(record)
        stored = _decode(memoryview(record)[1:])
        segments, years = {}, {}
        for low, encoded in further.items():
            if len(low) == YEAR_BYTES:
                years[low] = encoded[1:]
            else:
                segments[low] = Segment.decode(encoded[1:])
        visits = Visits(years) if years else NO_VISITS
        visits.check()
        return cls(key, stored.header, Segment.decode(stored.links), segments, visits)

    def encode(self) -> bytes:
        """Return the record: the header and the first segment."""
        return FORMAT_BYTE + _encode(_Record(self.header, self._first.encode()))

    def encode_further(self, *, only_changed: bool) -> Iterator[tuple[bytes, bytes]]:
        """Yield the keys and the bytes of the further segments and of the years of visits.

        All of them, or those that changed since this was last asked.
        """
        if self._further:
            changed, self._changed = self._changed or (), None
            for low, segment in zip(self._lows, self._further, strict=True):
                if not only_changed or low in changed:
                    yield low, FORMAT_BYTE + segment.encode()
        for year, encoded in self.visits.encode(only_changed=only_changed) if self.visits else ():
            yield year, FORMAT_BYTE + encoded

    @property
    def segments(self) -> list[Segment]:
        """All segments."""
        return [self._first, *self._further]

    @property
    def totals(self) -> Totals:
        """What the links add up to."""
        if self._totals is None:
            self._totals = totals_of(self.segments)
        return self._totals

    @property
    def rhythm(self) -> Rhythm | None:
        """The summary of the link days; None without any."""
        if self._rhythm is None:
            self._rhythm = Rhythm.of(self.totals.days)
        return self._rhythm

    @property
    def visiting_domains(self) -> frozenset[bytes]:
        """The fingerprints of the domains that ever sent a visit."""
        if self._visiting_domains is None:
            self._visiting_domains = self.visits.sent().senders if self.visits else frozenset()
        return self._visiting_domains

    def apply_visits(self, reports: Iterable[DayOfVisits]) -> bool:
        """Apply reports of visits; return whether anything was learned."""
        visits = self.visits or Visits()
        if not visits.apply(reports):
            return False
        self.visits, self._visiting_domains, self._without_imports = visits, None, None
        return True

    def apply(
        self, observations: Iterable[LinkObservation], effects: MutableMapping[tuple[str | None, Effect], int]
    ) -> bool:
        """Apply observations, count what each did by source and effect, and return whether anything was learned."""
        first, lows, reported = self._first, self._lows, self.header.sources
        is_news = is_new_week = False
        for observation in observations:
            page, is_gain, at_ms, source = observation.page, observation.is_gain, observation.at_ms, observation.source
            if is_gain and source is not None and not is_of_newest_week(reported.get(source, 0), at_ms):
                is_new_week |= self._note_week(source, at_ms)
            if observation.is_floor and at_ms > self.header.floor_ms:
                self.header.floor_ms, is_news = at_ms, True
            index = bisect_right(lows, page) if lows else 0
            segment = self._further[index - 1] if index else first
            effect, is_new = segment.apply(
                page,
                observation.domain,
                is_gain,
                at_ms,
                observation.flags_and_traits,
                looked_ms=observation.looked_ms,
                lost_reason=observation.lost_reason,
            )
            effects[source, effect] += 1
            if not is_new:
                continue
            is_news = True
            self._note_growth(segment, index)
        if is_news:
            self._forget_sums()
        return is_news or is_new_week

    def register(self, registration: Registration) -> bool:
        """Take a registration unless a newer one is known; return whether anything was learned.

        Of one that a removal covers only the time and the aliases are kept.
        """
        known = self.header.registration
        self.header.registration = self._not_removed(newer(known, registration))
        return self.header.registration != known

    def remove(self, removed_ms: int) -> bool:
        """Note a removal; return whether it is news. `addresses.shown` leaves out what it covers."""
        header = self.header
        if removed_ms <= header.removed_ms:
            return False
        header.removed_ms = removed_ms
        header.registration = self._not_removed(header.registration)
        return True

    def _not_removed(self, registration: Registration) -> Registration:
        if registration.recorded_ms > self.header.removed_ms:
            return registration
        return Registration(recorded_ms=registration.recorded_ms, aliases=registration.aliases)

    def join(self, known: Iterable[KnownLink]) -> bool:
        """Add what is known elsewhere of links; return whether anything was learned."""
        is_news = False
        for each in known:
            index = bisect_right(self._lows, each.page) if self._lows else 0
            segment = self._further[index - 1] if index else self._first
            if segment.join(each):
                is_news = True
                self._note_growth(segment, index)
        if is_news:
            self._forget_sums()
        return is_news

    def join_header(self, other: Header) -> bool:
        """Add what a header says of the same article; return whether anything was learned."""
        header, before = self.header, msgspec.msgpack.encode(self.header)
        header.watched_since_ms = min(header.watched_since_ms, other.watched_since_ms)
        header.floor_ms = max(header.floor_ms, other.floor_ms)
        for source, weeks in sorted(other.sources.items()):
            if source in header.sources or len(header.sources) < SOURCES_MAX:
                header.sources[source] = joined(header.sources.get(source, 0), weeks)
        reputations = [each for each in (header.previous_verdict, other.previous_verdict) if each is not None]
        header.previous_verdict = max(reputations, key=lambda each: (each.since_ms, each.digest), default=None)
        self.remove(other.removed_ms)
        self.register(other.registration)
        return msgspec.msgpack.encode(header) != before

    @classmethod
    def decode_part(cls, key: bytes, low: bytes, encoded: bytes) -> "Article":
        """Return an article of which no more is known than one changelog record says, that with the low or year.

        ``low`` is empty for the article's own record. Raise UnknownFormatError, ValueError, OverflowError or
        msgspec.DecodeError on other bytes.
        """
        if not low:
            return cls.decode(key, encoded, {})
        check_format(encoded)
        article = cls(key, NOTHING, Segment())
        if len(low) == YEAR_BYTES:
            article.apply_visits(Visits({low: encoded[1:]}).reports())
        else:
            article.join(Segment.decode(encoded[1:]).known())
        return article

    def join_part(self, part: "Article") -> bool:
        """Add what a part says, as of `decode_part`; return whether anything was learned."""
        is_news = part.header is not NOTHING and self.join_header(part.header)
        is_news |= self.join(known for segment in part.segments for known in segment.known())
        return self.apply_visits(part.visits.reports()) or is_news

    @classmethod
    def to_look_at(cls, key: bytes, parts: Iterable["Article"]) -> "Article":
        """Return an article with this key that shows all that is known in the parts; these don't change.

        It shares segments with them, in no order: it takes no events, and can't be encoded.
        """
        largest, *others = sorted(parts, key=lambda part: -sum(map(len, part.segments)))
        header = msgspec.structs.replace(largest.header, sources=dict(largest.header.sources))
        article = cls(key, header, Segment(), visits=largest.visits.copy() if largest.visits else NO_VISITS)
        for part in others:
            article.join_header(part.header)
            article.apply_visits(part.visits.reports())
        article._further = joined_segments(part.segments for part in (largest, *others))
        return article

    def without_imports(self, instants: frozenset[int]) -> "Article":
        """Return the article with the links that were first gained at these instants as imported: no signs of life.

        Like `to_look_at`, it takes no events, and can't be encoded. It is this article where it has no such link.
        """
        if not instants:
            return self
        if self._without_imports is None or self._without_imports[0] != instants:
            self._without_imports = instants, self._looked_at_without(instants)
        return self._without_imports[1] or self

    def _looked_at_without(self, instants: frozenset[int]) -> "Article | None":
        segments = [segment.without_signs_of_life(instants) for segment in self.segments]
        if all(without is segment for without, segment in zip(segments, self.segments, strict=True)):
            return None
        article = Article(self.key, self.header, Segment(), visits=self.visits)
        article._further = segments
        return article

    def _forget_sums(self) -> None:
        self._totals = self._rhythm = self._without_imports = None

    def mark_changed(self) -> None:
        """Have all parts encoded when the changed ones are asked for."""
        if self._further:
            self._changed = set(self._lows)
        if self.visits:
            self.visits.mark_changed()

    def _note_growth(self, segment: Segment, index: int) -> None:
        """Note that a segment changed, the one with the low before ``index``, and split it when it is too long."""
        if index:
            self._note_change(self._lows[index - 1])
        if len(segment.facts) > SEGMENT_LINKS_MAX:
            low, upper = segment.split()
            self._further.insert(index, upper)
            self._lows.insert(index, low)
            self._note_change(low)

    def _note_change(self, low: bytes) -> None:
        if self._changed is None:
            self._changed = set()
        self._changed.add(low)

    def _note_week(self, source: str, at_ms: int) -> bool:
        """Note that a source reported a gain of that time; return whether that is news, and there was room for it."""
        sources = self.header.sources
        known = sources.get(source, 0)
        weeks = with_report(known, at_ms)
        has_room = known != 0 or len(sources) < SOURCES_MAX
        if has_room:
            sources[source] = weeks
        return has_room and weeks != known
