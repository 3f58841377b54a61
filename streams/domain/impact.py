"""What an article's links are worth in people: whether the domains that link to it also send visits.

Visits are known by domain, not by page, so all links of a domain that sent somebody are links with visits.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from streams.domain import link
from streams.domain.rhythm import day_of
from streams.domain.segment import DOMAIN_BYTES, Segment
from streams.domain.visits import ByDay, Sent, date_of
from streams.schema.verdict import Impact, SendingDomain, VisitsInDays

TROPHY_AFTER_DAYS: Final = 28
TOP_DOMAINS: Final = 5
_WINDOWS_DAYS: Final = (28, 90)


class Tracking(NamedTuple):
    """The first and the last UTC day on which visits to an article were counted."""

    since_day: int
    until_day: int


def senders(sent: Sent) -> frozenset[bytes]:
    """Return the fingerprints of the domains that sent somebody."""
    return frozenset(domain for domain, days in sent.by_domain.items() if any(days.values()))


def impact_of(segments: Iterable[Segment], sent: Sent, *, today: int) -> Impact | None:
    """Return the impact of the links in these segments; None when nobody ever counted visits."""
    by_domain = [*sent.by_domain.values(), sent.others]
    tracking = _tracking(by_domain)
    if tracking is None:
        return None
    counted = {domain: sum(days.values()) for domain, days in sent.by_domain.items()}
    visiting = senders(sent)
    links: Counter[bytes] = Counter()  # of sending domains
    without = trophies = 0
    for segment in segments:
        for number, fact in enumerate(segment.facts):
            if not fact & link.GAINED:
                continue
            domain = bytes(segment.domains[number * DOMAIN_BYTES : (number + 1) * DOMAIN_BYTES])
            if domain in visiting:
                links[domain] += 1
            elif sent.named_until is None or domain <= sent.named_until:
                without += 1
                gained_day = day_of(fact >> link.FLAG_BITS)
                trophies += is_trophy(gained_day, is_live=bool(fact & link.LIVE), tracking=tracking)
    total = sum(counted.values()) + sum(sent.others.values())
    return Impact(
        links_with_visits=links.total(),
        links_without_visits=without,
        trophies=trophies,
        sending_domains=len(visiting),
        visits_total=total,
        visits_in_days=VisitsInDays(*(_visits_in(by_domain, days, today=today) for days in _WINDOWS_DAYS)),
        visits_without_link=total - sum(counted[domain] for domain in links),
        tracked_since=date_of(tracking.since_day),
        tracked_until=date_of(tracking.until_day),
        top_domains=_top(sent.by_domain, counted, links, today=today),
        is_partial=sent.named_until is not None,
    )


def is_trophy(gained_day: int, *, is_live: bool, tracking: Tracking) -> bool:
    """Whether a link from a domain that never sent anybody looks better than it is.

    It is on show, and had TROPHY_AFTER_DAYS in which somebody would have counted its visits.
    """
    watched_since_day = max(gained_day, tracking.since_day)
    return is_live and tracking.until_day - watched_since_day >= TROPHY_AFTER_DAYS


def _tracking(by_domain: Iterable[ByDay]) -> Tracking | None:
    days = [day for days in by_domain if days for day in (min(days), max(days))]
    return Tracking(min(days), max(days)) if days else None


def _visits_in(by_domain: Iterable[ByDay], days: int, *, today: int) -> int:
    """Return the visits in the last ``days`` UTC days, today included."""
    window = range(today - days + 1, today + 1)
    return sum(
        sum(filter(None, map(sent.get, window)))
        if len(sent) > days
        else sum(visits for day, visits in sent.items() if day in window)
        for sent in by_domain
    )


def _top(
    by_domain: Mapping[bytes, ByDay], counted: Mapping[bytes, int], links: Mapping[bytes, int], *, today: int
) -> list[SendingDomain]:
    """Return the domains that sent most, with links or without; none that sent nobody."""
    ranked = sorted(counted, key=lambda domain: (-counted[domain], domain))[:TOP_DOMAINS]
    return [
        SendingDomain(
            links=links.get(domain, 0),
            visits_total=counted[domain],
            visits_in_90_days=_visits_in([by_domain[domain]], _WINDOWS_DAYS[-1], today=today),
        )
        for domain in ranked
        if counted[domain]
    ]
