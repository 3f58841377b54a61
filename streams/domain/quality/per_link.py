"""The quality of each of the newest links, and why. `link_value` adds up the same figures without names."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from flatline.domain.learned.domain_reputation import DomainReputation
from flatline.domain.quality.factors import FLAGS, Facts, LinkQuality, quality_of
from flatline.domain.quality.link_value import shared_anchors, sitewide_links
from flatline.domain.state import link, link_traits
from flatline.domain.state.segment import LinkRow, Segment
from flatline.domain.urls.fingerprints import PAGE_BYTES


class WeighedLink(NamedTuple):
    """A link that was gained: the fingerprint of its page, when, its flags (of `link`), its quality and why.

    ``is_thin``: its quality is too low to matter. ``lost_reason``: of one that is lost, where it is known.
    """

    page: bytes
    gained_ms: int
    flags: int
    quality: LinkQuality
    is_thin: bool
    lost_reason: str | None = None


def newest(
    segments: Iterable[Segment],
    number: int,
    *,
    quality_min: float,
    natural_anchors: Callable[[], Collection[int]] = tuple,
    reputation_of: Callable[[bytes], DomainReputation] = lambda _domain: DomainReputation.UNKNOWN,
    visited: Collection[bytes] = (),
) -> list[WeighedLink]:
    """Return the newest links, the newest first, each with its quality.

    The arguments are those of `link_value.link_value_of`, and so are the figures.
    """
    links: list[tuple[bytes, LinkRow]] = []
    reasons: dict[bytes, int] = {}
    for segment in segments:
        pages = bytes(segment.pages)
        for place, row in enumerate(segment.rows()):
            if row[0] & link.GAINED:
                links.append((pages[place * PAGE_BYTES : (place + 1) * PAGE_BYTES], row))
                if place in segment.lost_reasons:
                    reasons[links[-1][0]] = segment.lost_reasons[place]
    rows = [row for _, row in links]
    anchors = shared_anchors(rows, natural_anchors)
    sitewide = sitewide_links(rows, Counter(domain for _, _, domain in rows))

    def weigh(page: bytes, row: LinkRow) -> WeighedLink:
        fact, traits, domain = row
        facts = Facts(
            fact & FLAGS,
            traits & ~link_traits.ANCHOR,
            anchors.get(traits & link_traits.ANCHOR, 0),
            row in sitewide,
            reputation_of(domain),
            domain in visited,
        )
        # As in the sum: whether it matters goes by itself alone.
        alone = quality_of(facts._replace(reputation=DomainReputation.UNKNOWN))
        flags = fact & (1 << link.FLAG_BITS) - 1
        is_thin = alone.quality < quality_min
        lost_reason = link.lost_reason_of(reasons.get(page, link.NOT_KNOWN))
        return WeighedLink(page, fact >> link.FLAG_BITS, flags, quality_of(facts), is_thin, lost_reason)

    chosen = sorted(links, key=lambda each: (-(each[1][0] >> link.FLAG_BITS), each[0]))[:number]
    return [weigh(page, row) for page, row in chosen]
