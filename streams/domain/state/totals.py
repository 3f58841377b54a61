"""What an article's links add up to. Totals follow from the links and are never stored."""

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from flatline.domain.state import link
from flatline.domain.state.segment import Segment
from flatline.domain.time import DAY_MS
from flatline.domain.urls.fingerprints import DOMAIN_BYTES

_DAY: Final = DAY_MS << link.FLAG_BITS  # a day, in the unit of `Segment.facts`
_FLAGS: Final = (1 << link.FLAG_BITS) - 1


class Totals(NamedTuple):
    """Counts of distinct links; instants in ms since the epoch, 0 without any link."""

    gained: int = 0
    lost: int = 0
    live: int = 0
    nofollow: int = 0
    ugc: int = 0
    sponsored: int = 0
    referring_domains: int = 0
    first_gained_ms: int = 0
    last_gained_ms: int = 0
    # UTC day -> links gained on it, in order of days; without imports and first meetings
    days: dict[int, int] = {}  # noqa: RUF012

    def gained_in_days(self, days: int, *, today: int) -> int:
        """Return the links gained in the last ``days`` UTC days, today included."""
        return gained_in_days(self.days, days, today=today)


def gained_in_days(gained: dict[int, int], days: int, *, today: int) -> int:
    """Return what was gained in the last ``days`` UTC days, today included, by day in order of days."""
    total = 0
    for day in reversed(gained):
        if day <= today - days:
            break
        if day <= today:
            total += gained[day]
    return total


def totals_of(segments: Iterable[Segment]) -> Totals:
    """Add up the links of segments that share none."""
    facts: list[int] = []
    domains: set[bytes] = set()
    for segment in segments:
        if not segment.newest:  # all of them were gained: `newest` holds what was only ever lost
            facts += segment.facts
            domains.update(_domains(segment.domains))
            continue
        for fact, domain in zip(segment.facts, _domains(segment.domains), strict=True):
            if fact & link.GAINED:
                facts.append(fact)
                domains.add(domain)
    if not facts:
        return Totals()
    lost = live = nofollow = ugc = sponsored = 0
    for flags, count in Counter([fact & _FLAGS for fact in facts]).items():
        lost += count * bool(flags & link.LOST)
        live += count * bool(flags & link.LIVE)
        nofollow += count * bool(flags & link.NOFOLLOW)
        ugc += count * bool(flags & link.UGC)
        sponsored += count * bool(flags & link.SPONSORED)
    days = Counter([fact // _DAY for fact in facts if fact & link.ORGANIC])
    return Totals(
        gained=len(facts),
        lost=lost,
        live=live,
        nofollow=nofollow,
        ugc=ugc,
        sponsored=sponsored,
        referring_domains=len(domains),
        first_gained_ms=min(facts) >> link.FLAG_BITS,
        last_gained_ms=max(facts) >> link.FLAG_BITS,
        days={day: days[day] for day in sorted(days)},
    )


def _domains(column: bytearray) -> list[bytes]:
    packed = bytes(column)
    return [packed[at : at + DOMAIN_BYTES] for at in range(0, len(packed), DOMAIN_BYTES)]
