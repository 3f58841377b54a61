"""Which publications link to an author or a site, and what either side gains from that.

A *publication* is a referring domain. What it gives: links, and visits. What it gets: links back; and whether its own
pages do better when they link there. For that its pages that link are compared with its other pages, by links gained a
day. A page enters the comparison with the first link that we know it gained, or, if it links, not before it does; it
stays EXPOSURE_DAYS_MAX, as pages of any kind gain most while they are young. The link with which it enters does not
count, nor do imports and first meetings: their dates are not the link's. It is a comparison, not a cause.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from flatline.domain.impact.ledger import GainedLink, Ledger
from flatline.domain.state import link
from flatline.domain.time import DAY_MS

EXPOSURE_DAYS_MAX: Final = 365
GAINED_MIN: Final = 5


class Beneficiary(StrEnum):
    """Who gains from a publication's links: an article's author, or its site (registrable domain)."""

    AUTHOR = "author"
    SITE = "site"


class Exposure(NamedTuple):
    """Pages of a publication that are targets themselves, for how long all in all, and the links that they gained."""

    pages: int = 0
    exposed_ms: int = 0
    gained: int = 0

    def __add__(self, other: "Exposure") -> "Exposure":  # type: ignore[override]
        return Exposure(self.pages + other.pages, self.exposed_ms + other.exposed_ms, self.gained + other.gained)

    def __sub__(self, other: "Exposure") -> "Exposure":
        return Exposure(self.pages - other.pages, self.exposed_ms - other.exposed_ms, self.gained - other.gained)

    @property
    def gained_a_year(self) -> float | None:
        """Links gained a page and year; None for no time at all."""
        return self.gained / self.exposed_ms * 365 * DAY_MS if self.exposed_ms else None


class Pair(NamedTuple):
    """A publication and an author (or a site), with what each has of the other."""

    domain: str
    beneficiary: str
    links: int  # distinct, ever gained, from the publication to articles of the author
    live: int
    articles: int  # distinct, that it links to
    visits: int  # that it sent to any of the author's articles
    links_back: int  # from the author's articles to the publication's pages
    linking: Exposure  # of its pages that link to the author, since they do
    others: Exposure  # of its pages that don't

    @property
    def lift(self) -> float | None:
        """How many times as many links its pages gain when they link to the author; None where too few to say."""
        if min(self.linking.gained, self.others.gained) < GAINED_MIN:
            return None
        return (self.linking.gained / self.linking.exposed_ms) / (self.others.gained / self.others.exposed_ms)


def pairs(ledger: Ledger, by: Beneficiary, *, links_min: int = 1) -> list[Pair]:
    """Return the pairs with at least so many links, most links first."""
    side = ledger.authors if by is Beneficiary.AUTHOR else dict(enumerate(ledger.domains))
    domains = ledger.domains
    given: defaultdict[tuple[str, str], list[GainedLink]] = defaultdict(list)
    links_back: Counter[tuple[str, str]] = Counter()
    gains: defaultdict[int, list[GainedLink]] = defaultdict(list)
    for linked in ledger.links():
        gains[linked.target].append(linked)
        if linked.target in side:
            given[domains[linked.page], side[linked.target]].append(linked)
        if linked.page in side:
            links_back[domains[linked.target], side[linked.page]] += 1
    visits: Counter[tuple[str, str]] = Counter()
    for article, domain, sent in ledger.visits():
        if article in side:
            visits[domain, side[article]] += sent
    targets = {page: _Target(gained) for page, gained in gains.items()}
    whole: defaultdict[str, Exposure] = defaultdict(Exposure)
    for page, target in targets.items():
        whole[domains[page]] += target.exposure(0, until_ms=ledger.until_ms)
    found = []
    for (domain, beneficiary), links in given.items():
        if len(links) < links_min:
            continue
        linking, same_pages = _of_linking_pages(links, targets, until_ms=ledger.until_ms)
        found.append(
            Pair(
                domain=domain,
                beneficiary=beneficiary,
                links=len(links),
                live=sum(bool(linked.flags & link.LIVE) for linked in links),
                articles=len({linked.target for linked in links}),
                visits=visits[domain, beneficiary],
                links_back=links_back[domain, beneficiary],
                linking=linking,
                others=whole[domain] - same_pages,
            )
        )
    return sorted(found, key=lambda pair: (-pair.links, pair.domain, pair.beneficiary))


class _Target:
    """When a page gained links."""

    def __init__(self, gained: Iterable[GainedLink]) -> None:
        self._entered_ms = min(linked.first_gained_ms for linked in gained)
        self._gained_ms: Sequence[int] = sorted(
            linked.first_gained_ms for linked in gained if linked.flags & link.ORGANIC
        )

    def exposure(self, since_ms: int, *, until_ms: int) -> Exposure:
        """Return its exposure from when it was a target, and not before ``since_ms``."""
        start_ms = max(since_ms, self._entered_ms)
        end_ms = min(until_ms, start_ms + EXPOSURE_DAYS_MAX * DAY_MS)
        gained = bisect_right(self._gained_ms, end_ms) - bisect_right(self._gained_ms, start_ms)
        return Exposure(1, end_ms - start_ms, gained)


def _of_linking_pages(
    links: Iterable[GainedLink], targets: Mapping[int, _Target], *, until_ms: int
) -> tuple[Exposure, Exposure]:
    """Return the exposure of the pages that link, since they do; and what they take up in that of all pages."""
    linked_ms: dict[int, int] = {}
    for linked in links:
        linked_ms[linked.page] = min(linked.first_gained_ms, linked_ms.get(linked.page, linked.first_gained_ms))
    linking = same_pages = Exposure()
    for page, since_ms in linked_ms.items():
        if target := targets.get(page):
            linking += target.exposure(since_ms, until_ms=until_ms)
            same_pages += target.exposure(0, until_ms=until_ms)
    return linking, same_pages
