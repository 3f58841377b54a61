"""The visits that referring domains sent to one article, by domain and UTC day.

Of several reports on the same domain and day the largest counts. So what is kept is a function of the set of reports,
whatever their order and however often they come.

They are kept by calendar year, each year's under a changelog key of its own: a new day rewrites one year, and no day
is ever forgotten. A year takes 4 to 5 bytes for each day on which a domain sent somebody. It names at most DOMAINS_MAX
domains, those with the lowest fingerprints; of all others together each day keeps the figure of the largest alone.
Who is named is a function of the set, too: a domain once left out never returns. Sums stand before what they add up, so
that a judgement need not unpack the whole.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

import msgspec

from flatline.domain.time import EARLIEST_MS, LATEST_MS, day_of
from flatline.domain.urls.canonical import canonicalize_field
from flatline.domain.urls.fingerprints import referrer
from flatline.schema.rejection import Reason, Rejected
from flatline.schema.visits_record import VisitsRecord

DOMAINS_MAX: Final = 256
YEAR_BYTES: Final = 4  # of the key of a year: its digits
OTHERS: Final = b""
"""In place of a fingerprint: the domains of a year that are not named."""

_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()

ByDay = dict[int, int]  # UTC day since 1970-01-01 -> visits


class _Sums(msgspec.Struct, array_like=True, gc=False):
    """The beginning of a `_Year`."""

    by_domain: dict[bytes, int] = {}
    by_day: ByDay = {}


class _Year(_Sums, array_like=True, gc=False):
    """The visits of a calendar year; those of OTHERS among them."""

    sent: dict[bytes, ByDay] = {}


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Year).decode
_decode_sums = msgspec.msgpack.Decoder(_Sums).decode


class DayOfVisits(NamedTuple):
    """A record, as far as the state needs it: the fingerprint of the domain, the UTC day, the visits of that day."""

    domain: bytes
    day: int
    visits: int


class Sent(NamedTuple):
    """All visits to an article; a day or a domain with none is one of which that was reported.

    Those of ``others``, the domains that are not named, are in ``by_day``, too: at least so many. Of a domain above
    ``named_until`` it is not known whether it sent anybody; None: all are named.
    """

    by_domain: Mapping[bytes, int]
    by_day: Mapping[int, int]
    others: int
    named_until: bytes | None

    @property
    def senders(self) -> frozenset[bytes]:
        """The fingerprints of the domains that sent somebody."""
        return frozenset([domain for domain, visits in self.by_domain.items() if visits])


def sending_page(record: VisitsRecord) -> str:
    """Return a canonical URL on the site that sent the visits; raise `Rejected`."""
    if record.domain is None:
        return canonicalize_field(record.url_from or "", field="url_from")
    if "/" in record.domain:
        raise Rejected(Reason.INVALID_URL, "domain: a host name is wanted, such as news.example")
    return canonicalize_field(f"https://{record.domain}/", field="domain")


def day_of_visits(record: VisitsRecord, *, recorded_ms: int) -> DayOfVisits:
    """Return what a record says that was written at ``recorded_ms``; raise `Rejected`.

    Tomorrow is possible: producers count in time zones of their own.
    """
    day = record.day.toordinal() - _EPOCH_ORDINAL
    if not day_of(EARLIEST_MS) <= day <= day_of(min(recorded_ms, LATEST_MS)) + 1:
        raise Rejected(Reason.INVALID_TIME, f"day: {record.day} lies before the web, or after the record was written")
    return DayOfVisits(referrer(sending_page(record))[1], day, record.visits)


def date_of(day: int) -> date:
    """Return the date of a UTC day."""
    return date.fromordinal(_EPOCH_ORDINAL + day)


class Visits:
    """The visits to one article: years as bytes, by their keys. What is not looked at is never unpacked."""

    __slots__ = ("_changed", "_years")

    def __init__(self, years: Mapping[bytes, bytes] | None = None) -> None:
        self._years = dict(years or {})
        self._changed: set[bytes] = set()

    def __bool__(self) -> bool:
        return bool(self._years)

    def check(self) -> None:
        """Raise msgspec.DecodeError where the sums of a year can't be read."""
        for encoded in self._years.values():
            _decode_sums(encoded)

    def apply(self, reports: Iterable[DayOfVisits]) -> bool:
        """Apply reports; return whether anything was learned."""
        years: dict[bytes, _Year] = {}
        changed = set()
        for report in reports:
            low = str(date_of(report.day).year).encode()
            if low not in years:
                years[low] = self._year(low)
            if _join(years[low], report):
                changed.add(low)
        for low in sorted(changed):
            self._years[low] = _encode(years[low])
        self._changed |= changed
        return bool(changed)

    def _year(self, low: bytes) -> _Year:
        """Return a year; one that can't be read is as if nothing had been known of it."""
        try:
            return _decode(self._years[low]) if low in self._years else _Year()
        except msgspec.DecodeError:
            return _Year()

    def encode(self, *, only_changed: bool) -> Iterator[tuple[bytes, bytes]]:
        """Yield the key and the bytes of each year: of all, or of those that changed since this was last asked."""
        changed, self._changed = self._changed, set()
        for low, encoded in self._years.items():
            if not only_changed or low in changed:
                yield low, encoded

    def copy(self) -> "Visits":
        """Return one that knows the same, and changes by itself."""
        return Visits(self._years)

    def mark_changed(self) -> None:
        """Have all years encoded when the changed ones are asked for."""
        self._changed.update(self._years)

    def reports(self) -> Iterator[DayOfVisits]:
        """Yield what adds up to the same visits; that of OTHERS stands for their largest figure of a day."""
        for encoded in self._years.values():
            for domain, days in _decode(encoded).sent.items():
                for day, visits in days.items():
                    yield DayOfVisits(domain, day, visits)

    def sent(self) -> Sent:
        """Return the visits of all years."""
        by_domain: Counter[bytes] = Counter()
        by_day: ByDay = {}
        named_until: bytes | None = None
        for encoded in self._years.values():
            year = _decode_sums(encoded)
            if OTHERS in year.by_domain:
                highest = max(year.by_domain)
                named_until = highest if named_until is None else min(named_until, highest)
            by_domain.update(year.by_domain)
            by_day |= year.by_day
        others = by_domain.pop(OTHERS, 0)
        return Sent(dict(by_domain), by_day, others, named_until)


def _join(year: _Year, report: DayOfVisits) -> bool:
    """Apply a report; return whether it said anything new."""
    domain = report.domain
    is_named = domain == OTHERS or domain in year.sent
    if not is_named and len(year.sent) - (OTHERS in year.sent) >= DOMAINS_MAX:
        highest = max(year.sent)
        if domain > highest:
            domain = OTHERS
        else:
            del year.by_domain[highest]
            for day, visits in year.sent.pop(highest).items():
                year.by_day[day] -= visits
                _raise(year, OTHERS, day, visits)
    return _raise(year, domain, report.day, report.visits)


def _raise(year: _Year, domain: bytes, day: int, visits: int) -> bool:
    """Have at least so many visits of a domain on a day; return whether it had fewer, or none were known."""
    days = year.sent.setdefault(domain, {})
    known = days.get(day)
    if known is not None and visits <= known:
        return False
    days[day] = visits
    more = visits - (known or 0)
    year.by_domain[domain] = year.by_domain.get(domain, 0) + more
    year.by_day[day] = year.by_day.get(day, 0) + more
    return True
