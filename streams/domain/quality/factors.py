"""The quality of a link by its flags and traits: a number between 0 and 1, and why.

Reasons for the figures: QUALITY.md.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from flatline.domain.events.pages import READINGS, PageKind
from flatline.domain.learned.domain_reputation import DomainReputation
from flatline.domain.state import link, link_traits

NEUTRAL: Final = 0.5
"""The quality of a link of which nothing is known: each factor multiplies it."""

AUTHORITY_AT_0: Final = 0.7
AUTHORITY_AT_100: Final = 1.4
ANCHOR_DOMAINS_MIN: Final = 5
SITEWIDE_AFTER: Final = 10
SITEWIDE_DAYS: Final = 7
VISITED_MIN: Final = 0.6

FLAGS: Final = (
    link.NOFOLLOW
    | link.UGC
    | link.SPONSORED
    | link.STUFFED_ANCHOR
    | link.GENERIC_ANCHOR
    | link.IN_PROSE
    | link.BARE
    | link.SPAM
    | link.NOT_EDITORIAL
)
"""The flags of a link that its quality goes by."""


class Facts(NamedTuple):
    """All that the quality of a link goes by."""

    flags: int = 0
    traits: int = 0
    anchor_domains: int = 0  # that link to the article with the same anchor; 0 where that is natural
    is_sitewide: bool = False  # one of very many links of its domain with the same anchor within days
    reputation: DomainReputation = DomainReputation.UNKNOWN
    has_visits: bool = False  # it sent people


class QualityFactor(NamedTuple):
    """What speaks for a link, or against it: the quality is multiplied by ``factor``."""

    name: str
    factor: float
    phrase: str


FACTORS: Final = {
    "tool: spam": 0.1,
    "kind: not editorial": 0.1,
    "rel: sponsored": 0.2,
    "rel: ugc": 0.5,
    "rel: nofollow": 0.7,
    "placement: content": 1.3,
    "placement: comment": 0.4,
    "placement: sidebar": 0.4,
    "placement: nav": 0.3,
    "placement: footer": 0.2,
    "anchor: stuffed": 0.4,
    "anchor: on many domains": 0.4,
    "anchor: generic": 0.9,
    "text: around it": 1.2,
    "text: none around it": 0.9,
    "page: article": 1.1,
    "page: news": 1.2,
    "page: interview": 1.6,
    "page: list": 0.9,
    "page: guest post": 0.6,
    "page: forum": 0.6,
    "page: directory": 0.3,
    "page: sponsored": 0.15,
    "domain: loyal": 1.2,
    "domain: fickle": 0.5,
    "domain: sitewide": 0.2,
    "visits: some": 1.5,
}

_PHRASES: Final = {
    "tool: spam": "called spam by a tool",
    "kind: not editorial": "as a redirect or the like, which no author wrote",
    "rel: sponsored": "marked as sponsored",
    "rel: ugc": "marked as written by users",
    "rel: nofollow": "nofollow",
    "placement: content": "in the text of the page",
    "placement: comment": "in a comment",
    "placement: sidebar": "in a sidebar",
    "placement: nav": "in the navigation",
    "placement: footer": "in a footer",
    "anchor: stuffed": "with an anchor made for search engines",
    "anchor: generic": 'with an anchor like "here"',
    "text: around it": "with text around it",
    "text: none around it": "with no text around it",
    "domain: loyal": "on a domain whose links to several of our articles last",
    "domain: fickle": "on a domain that took most of its links back",
    "domain: sitewide": "repeated all over one site",
    "visits: some": "with visits",
}

_PAGES: Final = {
    PageKind.ARTICLE: "an article",
    PageKind.NEWS: "news",
    PageKind.INTERVIEW: "an interview",
    PageKind.LIST: "a list",
    PageKind.GUEST_POST: "a guest post",
    PageKind.FORUM: "a forum",
    PageKind.DIRECTORY: "a directory",
    PageKind.SPONSORED: "a sponsored page",
}


class LinkQuality(NamedTuple):
    """The quality of a link, 0 to 1, and its signs, the strongest first."""

    quality: float
    signs: tuple[QualityFactor, ...]
    against: str  # the phrase of what speaks most against it


@lru_cache(1 << 16)
def quality_of(facts: Facts) -> LinkQuality:
    """Say what a link is worth, and why."""
    signs = [sign for sign in (*_rel_and_text(facts), *_anchor(facts), *_page(facts), *_domain(facts)) if sign]
    quality = NEUTRAL
    for sign in signs:
        quality *= sign.factor
    if facts.has_visits:
        visited = _sign("visits: some")
        signs.append(visited)
        quality = max(quality * visited.factor, VISITED_MIN)
    signs.sort(key=lambda sign: max(sign.factor, 1 / sign.factor), reverse=True)
    worst = min(signs, key=lambda sign: sign.factor, default=None)
    against = worst.phrase if worst is not None and worst.factor < 1 else "with nothing that speaks for them"
    return LinkQuality(min(quality, 1.0), tuple(signs), against)


def _sign(name: str) -> QualityFactor:
    return QualityFactor(name, FACTORS[name], _PHRASES[name])


def _rel_and_text(facts: Facts) -> Iterator[QualityFactor]:
    """Yield what tools say, the worst of the rel tokens, the placement, and whether there is text around."""
    flags = facts.flags
    if flags & link.SPAM:
        yield _sign("tool: spam")
    if flags & link.NOT_EDITORIAL:
        yield _sign("kind: not editorial")
    if flags & link.SPONSORED:
        yield _sign("rel: sponsored")
    elif flags & link.UGC:
        yield _sign("rel: ugc")
    elif flags & link.NOFOLLOW:
        yield _sign("rel: nofollow")
    if placement := link_traits.placement_of(facts.traits):
        yield _sign(f"placement: {placement}")
    if flags & link.IN_PROSE:
        yield _sign("text: around it")
    elif flags & link.BARE:
        yield _sign("text: none around it")


def _anchor(facts: Facts) -> Iterator[QualityFactor]:
    """Yield the worst that can be said of the anchor."""
    if facts.flags & link.STUFFED_ANCHOR:
        yield _sign("anchor: stuffed")
    elif facts.anchor_domains >= ANCHOR_DOMAINS_MIN:
        name = "anchor: on many domains"
        yield QualityFactor(name, FACTORS[name], f"with the same anchor on {facts.anchor_domains:,} domains")
    elif facts.flags & link.GENERIC_ANCHOR:
        yield _sign("anchor: generic")


def _page(facts: Facts) -> Iterator[QualityFactor]:
    """Yield the kind of the page: its factor to the power of how sure it is."""
    kind, confidence = READINGS[link_traits.reading_of(facts.traits)]
    if kind is not PageKind.UNKNOWN:
        name, doubt = f"page: {kind}", "" if confidence == 1 else "what looks like "
        yield QualityFactor(name, FACTORS[name] ** confidence, f"on {doubt}{_PAGES[kind]}")


def _domain(facts: Facts) -> Iterator[QualityFactor]:
    """Yield what is known of the referring domain."""
    if (authority := link_traits.authority_of(facts.traits)) is not None:
        factor = AUTHORITY_AT_0 * (AUTHORITY_AT_100 / AUTHORITY_AT_0) ** (authority / 100)
        yield QualityFactor("domain: authority", factor, f"on a domain of authority {authority}")
    if facts.reputation is not DomainReputation.UNKNOWN:
        yield _sign(f"domain: {facts.reputation}")
    if facts.is_sitewide:
        yield _sign("domain: sitewide")
