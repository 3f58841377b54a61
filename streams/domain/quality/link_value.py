"""The value of an article's links: the sum of their qualities, by domain, and how many of them are thin.

Like the totals it follows from the links and is never stored.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from math import log10
from operator import mul
from typing import Final, NamedTuple

from flatline.domain.learned.domain_reputation import DomainReputation
from flatline.domain.quality.factors import ANCHOR_DOMAINS_MIN, FLAGS, SITEWIDE_AFTER, SITEWIDE_DAYS, Facts, quality_of
from flatline.domain.state import link, link_traits
from flatline.domain.state.segment import LinkRow, Segment
from flatline.domain.state.totals import gained_in_days
from flatline.domain.time import DAY_MS
from flatline.domain.urls.multi_author_domains import MANY_AUTHORS

REPEATED_LINK: Final = 0.1
"""What the links of a domain add to its best: this for each power of ten. A thousand links of one count as 1.3."""

_DAY: Final = DAY_MS << link.FLAG_BITS  # a day, in the unit of `Segment.facts`


class LinkValue(NamedTuple):
    """The links of an article by their quality; those below the least that matters are *thin*."""

    weighted: float = 0.0  # the sum of the best quality of each domain, and very little for its further links
    thin: int = 0
    days: dict[int, int] = {}  # noqa: RUF012 (UTC day -> links that matter, gained on it; organic; in order of days)
    thin_days: Mapping[tuple[int, str], int] = {}  # (the same of thin links, by what is most against them, too)

    @property
    def last_day(self) -> int | None:
        """The last UTC day on which a link that matters was gained; None without any."""
        return next(reversed(self.days), None)

    def gained_in_days(self, days: int, *, today: int) -> int:
        """Return the links that matter gained in the last ``days`` UTC days, today included."""
        return gained_in_days(self.days, days, today=today)


def link_value_of(
    segments: Iterable[Segment],
    *,
    quality_min: float,
    natural_anchors: Callable[[], Collection[int]] = tuple,
    reputation_of: Callable[[bytes], DomainReputation] | None = None,
    visited: Collection[bytes] = (),
) -> LinkValue:
    """Weigh the links of segments that share none.

    ``natural_anchors``  gives the fingerprints of what anybody may call the article; seldom asked
    ``reputation_of``      gives the reputation of a domain by its fingerprint; it counts in the sum alone
    ``visited``          fingerprints of the domains whose links sent people
    """
    links = [each for segment in segments for each in segment.rows() if each[0] & link.GAINED]
    if not links:
        return LinkValue()
    links_by_domain = Counter([domain for _, _, domain in links])
    domains_by_anchor = shared_anchors(links, natural_anchors)
    sitewide = sitewide_links(links, links_by_domain)
    best: dict[bytes, float] = {}
    days, thin, thin_days = list[int](), 0, list[tuple[int, str]]()
    for each in links:
        fact, traits, domain = each
        quality, alone, against = _weighed(
            fact & FLAGS | (traits & ~link_traits.ANCHOR) << link.FLAG_BITS,
            domains_by_anchor.get(traits & link_traits.ANCHOR, 0) if domains_by_anchor else 0,
            each in sitewide if sitewide else False,
            reputation_of(domain) if reputation_of else DomainReputation.UNKNOWN,
            domain in visited if visited else False,
        )
        if quality > best.get(domain, 0.0):
            best[domain] = quality
        if alone < quality_min:
            thin += 1
            if fact & link.ORGANIC:
                thin_days.append((fact // _DAY, against))
        elif fact & link.ORGANIC:
            days.append(fact // _DAY)
    counts = Counter(days)
    return LinkValue(
        weighted=sum(map(mul, best.values(), map(_as_many, map(links_by_domain.__getitem__, best)))),
        thin=thin,
        days={day: counts[day] for day in sorted(counts)},
        thin_days=Counter(thin_days),
    )


@lru_cache(1 << 16)
def _weighed(
    flags_and_traits: int, anchor_domains: int, is_sitewide: bool, reputation: DomainReputation, has_visits: bool
) -> tuple[float, float, str]:
    """Return the quality of a link, that which it has by itself alone, and what is most against that.

    Whether a link matters goes by itself alone: no other article's links may move a verdict. Links come in few kinds,
    so nearly all were weighed before. The arguments are bare, as making `Facts` takes longer than finding that.
    """
    flags, traits = flags_and_traits & FLAGS, flags_and_traits >> link.FLAG_BITS
    facts = Facts(flags, traits, anchor_domains, is_sitewide, reputation, has_visits)
    alone = quality_of(facts._replace(reputation=DomainReputation.UNKNOWN))
    return quality_of(facts).quality, alone.quality, alone.against


@lru_cache(1024)
def _as_many(links: int) -> float:
    """Return what so many links of one domain count as."""
    return 1 + REPEATED_LINK * log10(links)


def shared_anchors(links: list[LinkRow], natural_anchors: Callable[[], Collection[int]]) -> dict[int, int]:
    """Return how many domains use the same anchor, where they are many."""
    if len(links) < ANCHOR_DOMAINS_MIN:
        return {}
    used = Counter([traits & link_traits.ANCHOR for _, traits, _ in links])
    repeated = {anchor for anchor, count in used.items() if anchor & link_traits.PHRASE and count >= ANCHOR_DOMAINS_MIN}
    if not repeated:
        return {}
    natural = {fingerprint | link_traits.PHRASE for fingerprint in natural_anchors()}
    domains: dict[int, set[bytes]] = {anchor: set() for anchor in repeated - natural}
    for _, traits, domain in links:
        if traits & link_traits.ANCHOR in domains:
            domains[traits & link_traits.ANCHOR].add(domain)
    return {anchor: len(those) for anchor, those in domains.items() if len(those) >= ANCHOR_DOMAINS_MIN}


def sitewide_links(links: list[LinkRow], links_by_domain: Mapping[bytes, int]) -> Collection[LinkRow]:
    """Return the links before which SITEWIDE_AFTER others of their domain came within a week with the same anchor.

    Those of a template appear on many pages at once. A newsletter or a list that links every week is a reader.
    """
    if max(links_by_domain.values(), default=0) <= SITEWIDE_AFTER:  # of nearly all articles
        return ()
    many = {domain for domain, count in links_by_domain.items() if count > SITEWIDE_AFTER} - MANY_AUTHORS
    repeated: defaultdict[tuple[bytes, int], list[LinkRow]] = defaultdict(list)
    for each in links:
        _, traits, domain = each
        if domain in many and traits & link_traits.ANCHOR:
            repeated[domain, traits & link_traits.ANCHOR].append(each)
    found = set[LinkRow]()
    for those in repeated.values():
        ordered = sorted(those)
        pairs = zip(ordered, ordered[SITEWIDE_AFTER:], strict=False)
        found.update(later for earlier, later in pairs if later[0] - earlier[0] < SITEWIDE_DAYS * _DAY)
    return found
