"""What an article lost lately: a summary of its links that are gone, for the judgement of a mass loss."""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from flatline.domain.formatting import count
from flatline.domain.state import link
from flatline.domain.state.segment import Segment
from flatline.domain.time import DAY_MS, to_datetime
from flatline.domain.urls.fingerprints import DOMAIN_BYTES
from flatline.schema.lost_reason import LOST_REASON_PHRASES

WINDOW_DAYS: Final = 14
MOSTLY: Final = 0.8
FEW: Final = 3  # fewer are no mass loss to any policy


class Losses(NamedTuple):
    """Links that are gone, lost within WINDOW_DAYS, beside those that were there when the window began.

    ``lost``              links lost and not restored
    ``live_before``       links that were live before the first of these losses
    ``domains``           referring domains of the lost links
    ``most_of_a_domain``  how many of the lost links the domain with the most of them had
    ``of_that_domain``    how many links that domain had before
    ``most_in_a_day``     how many were lost on the worst day
    ``first_ms``          when the first of them was lost, and ``last_ms`` when the last
    ``lost_reasons``      how many of the lost links have which reason of `schema.lost_reason`, the commonest first; the
                          others have none that is known
    """

    lost: int
    live_before: int
    domains: int
    most_of_a_domain: int
    of_that_domain: int
    most_in_a_day: int
    first_ms: int
    last_ms: int
    lost_reasons: Mapping[str, int] = MappingProxyType({})

    def reason(self, *, is_floor: bool) -> str:
        """Return what was lost, and the likely reason, in sentences; ``is_floor``: not all links are reported."""
        first, last = (f"{to_datetime(at_ms):%Y-%m-%d}" for at_ms in (self.first_ms, self.last_ms))
        when = f"on {first}" if first == last else f"from {first} to {last}"
        verb = "was" if self.lost == 1 else "were"
        lost = f"{self._how_many(is_floor=is_floor)} {verb} lost {when}."
        return " ".join(filter(None, (lost, self._reported_reason, self._likely_reason)))

    def _how_many(self, *, is_floor: bool) -> str:
        links = count(self.live_before, "link")
        if is_floor:
            return f"At least {self.lost:,} of at least {links}"
        return f"All {links}" if 1 < self.lost == self.live_before else f"{self.lost:,} of {links}"

    @property
    def _reported_reason(self) -> str:
        if not self.lost_reasons:
            return ""
        reason, number = next(iter(self.lost_reasons.items()))
        of_them = "all of them" if number == self.lost else f"{number:,} of them"
        return f"Reason reported for {of_them}: {LOST_REASON_PHRASES[reason]}."

    @property
    def _likely_reason(self) -> str:
        others = self.of_that_domain - self.most_of_a_domain
        most = "All" if self.most_of_a_domain == self.lost else "Nearly all"
        if self.most_of_a_domain >= MOSTLY * self.lost and not others:
            gone = "none of its known links is left: it was probably taken down or rebuilt."
            return f"{most} were on one site, and {gone}"
        if self.most_of_a_domain >= MOSTLY * self.lost:
            kept = count(others, "other")
            return f"{most} were on one site, which keeps {kept}: it probably removed or changed some pages."
        sites = count(self.domains, "site")
        if self.most_in_a_day >= MOSTLY * self.lost:
            return f"They were on {sites} and disappeared on one day: check your own page first, it may have moved."
        return f"They were on {sites} and disappeared over several days: no single cause stands out."


def losses_of(segments: Iterable[Segment], *, live: int, now_ms: int) -> Losses | None:
    """Summarise the losses of the last WINDOW_DAYS of an article with so many live links; None where they are few.

    Few or none cost a look at each segment.
    """
    segments = list(segments)
    since_ms = now_ms - WINDOW_DAYS * DAY_MS
    lost_at_ms: list[int] = []
    domains: Counter[bytes] = Counter()
    reasons: Counter[int] = Counter()
    for segment in segments:
        for number, newest_ms in segment.newest.items():
            if newest_ms >= since_ms and segment.link(number).flags & (link.GAINED | link.LIVE) == link.GAINED:
                lost_at_ms.append(newest_ms)
                domains[_domain(segment, number)] += 1
                reasons[segment.lost_reasons.get(number, link.NOT_KNOWN)] += 1
    if len(lost_at_ms) < FEW:
        return None
    worst_domain, most = max(domains.items(), key=lambda entry: (entry[1], entry[0]))
    return Losses(
        lost=len(lost_at_ms),
        live_before=live + len(lost_at_ms),
        domains=len(domains),
        most_of_a_domain=most,
        of_that_domain=most + sum(_live_of(worst_domain, segment) for segment in segments),
        most_in_a_day=max(Counter(at_ms // DAY_MS for at_ms in lost_at_ms).values()),
        first_ms=min(lost_at_ms),
        last_ms=max(lost_at_ms),
        lost_reasons=_named(reasons),
    )


def _named(reasons: Mapping[int, int]) -> dict[str, int]:
    by_number = sorted(reasons.items(), key=lambda entry: (-entry[1], entry[0]))
    return {reason: number for code, number in by_number if (reason := link.lost_reason_of(code)) is not None}


def _live_of(domain: bytes, segment: Segment) -> int:
    if domain not in segment.domains:  # most have none, and this is found fast
        return 0
    return sum(_domain(segment, number) == domain for number, fact in enumerate(segment.facts) if fact & link.LIVE)


def _domain(segment: Segment, number: int) -> bytes:
    return bytes(segment.domains[number * DOMAIN_BYTES : (number + 1) * DOMAIN_BYTES])
