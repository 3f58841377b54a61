"""The impact of an article's links: whether the domains that link to it also send visits.

Visits are known by domain, not by page, so all links of a domain that sent somebody are links with visits.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Final, NamedTuple

from flatline.domain.state import link
from flatline.domain.state.segment import Segment
from flatline.domain.state.visits import Sent, date_of
from flatline.domain.time import day_of
from flatline.domain.urls.fingerprints import DOMAIN_BYTES
from flatline.schema.verdict import Impact, SendingDomain, VisitsInDays

TROPHY_AFTER_DAYS: Final = 28
TOP_DOMAINS: Final = 5


class Tracking(NamedTuple):
    """The first and the last UTC day on which visits to an article were counted."""

    since_day: int
    until_day: int


def impact_of(segments: Iterable[Segment], sent: Sent, *, today: int) -> Impact:
    """Return the impact of the links in these segments; somebody has counted visits."""
    tracking = Tracking(min(sent.by_day), max(sent.by_day))
    senders = sent.senders
    links: Counter[bytes] = Counter()  # of sending domains
    without = trophies = 0
    for segment in segments:
        domains = bytes(segment.domains)
        for number, fact in enumerate(segment.facts):
            if not fact & link.GAINED:
                continue
            domain = domains[number * DOMAIN_BYTES : (number + 1) * DOMAIN_BYTES]
            if domain in senders:
                links[domain] += 1
            elif sent.named_until is None or domain <= sent.named_until:
                without += 1
                gained_day = day_of(fact >> link.FLAG_BITS)
                trophies += is_trophy(gained_day, is_live=bool(fact & link.LIVE), tracking=tracking)
    total = sum(sent.by_domain.values()) + sent.others
    top = sorted(senders, key=lambda domain: (-sent.by_domain[domain], domain))[:TOP_DOMAINS]
    return Impact(
        links_with_visits=links.total(),
        links_without_visits=without,
        trophies=trophies,
        sending_domains=len(senders),
        visits_total=total,
        visits_in_days=VisitsInDays(*(_visits_in(sent.by_day, days, today=today) for days in (28, 90))),
        visits_without_link=total - sum(sent.by_domain[domain] for domain in links),
        tracked_since=date_of(tracking.since_day),
        tracked_until=date_of(tracking.until_day),
        top_domains=[SendingDomain(links[domain], sent.by_domain[domain]) for domain in top],
        is_partial=sent.named_until is not None,
    )


def is_trophy(gained_day: int, *, is_live: bool, tracking: Tracking) -> bool:
    """Whether a link from a domain that never sent anybody looks better than it is.

    It is on show, and had TROPHY_AFTER_DAYS in which somebody would have counted its visits.
    """
    watched_since_day = max(gained_day, tracking.since_day)
    return is_live and tracking.until_day - watched_since_day >= TROPHY_AFTER_DAYS


def _visits_in(by_day: Mapping[int, int], days: int, *, today: int) -> int:
    """Return the visits in the last ``days`` UTC days, today included."""
    return sum(map(by_day.get, range(today - days + 1, today + 1), repeat(0)))
