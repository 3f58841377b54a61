"""Links, registrations and visits by name, in memory, for questions across articles. The worker does not need it.

It is a function of the set of events, but that of several registrations of an article the last one holds.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

from flatline.domain.state import link
from flatline.domain.state.link import Link
from flatline.domain.state.visits import sending_page
from flatline.domain.time import check_stated_times, clamped_ms, stated_ms
from flatline.domain.urls.canonical import canonicalize_field, referring_domain
from flatline.schema.article_record import ArticleRecord
from flatline.schema.link_event import LinkEvent
from flatline.schema.visits_record import VisitsRecord

_PAGE_BITS: Final = 32
_PAGE: Final = (1 << _PAGE_BITS) - 1
_UNKNOWN: Final = Link(0, 0, 0)


class GainedLink(NamedTuple):
    """A gained link between two pages, by their numbers: when it was first gained, in ms, and its flags."""

    page: int
    target: int
    first_gained_ms: int
    flags: int


class Ledger:
    """Pages have numbers, in the order in which they were met.

    ``domains``   the registrable domain of each page
    ``authors``   of those pages that are registered with one
    ``until_ms``  the newest time of any link event: how far the links are known
    """

    def __init__(self) -> None:
        self.domains: list[str] = []
        self.authors: dict[int, str] = {}
        self.until_ms = 0
        self._pages: dict[str, int] = {}
        self._links: dict[int, Link] = {}
        self._visits: dict[tuple[int, str, date], int] = {}

    def add_link(self, event: LinkEvent, *, recorded_ms: int) -> None:
        """Take a link event that was written at ``recorded_ms``; raise `Rejected`."""
        page, target = self._page(event.url_from, "url_from"), self._page(event.url_to, "url_to")
        check_stated_times(event)
        at_ms = clamped_ms(stated_ms(event, recorded_ms=recorded_ms), recorded_ms=recorded_ms)
        self.until_ms = max(self.until_ms, at_ms)
        if event.is_suspicion:
            return
        flags = link.ORGANIC if event.discovery == "link_found" else 0
        pair = page << _PAGE_BITS | target
        known = self._links.get(pair, _UNKNOWN)
        self._links[pair] = link.seen(known, gained=event.change == "gained", at_ms=at_ms, flags=flags)

    def register(self, record: ArticleRecord) -> None:
        """Take an article's registration; raise `Rejected`."""
        page = self._page(record.url, "url")
        if record.author:
            self.authors[page] = record.author
        else:
            self.authors.pop(page, None)

    def unregister(self, key: bytes) -> None:
        """Take back what was registered of the article with this key."""
        self.authors.pop(self._pages.get(key.decode(errors="replace"), -1), None)

    def add_visits(self, record: VisitsRecord) -> None:
        """Take the visits of a day; raise `Rejected`."""
        day = self._page(record.url, "url"), referring_domain(sending_page(record)), record.day
        self._visits[day] = max(self._visits.get(day, 0), record.visits)

    def links(self) -> Iterator[GainedLink]:
        """Yield the links between domains that were ever gained; those within a domain are its own."""
        for pair, known in self._links.items():
            page, target = pair >> _PAGE_BITS, pair & _PAGE
            if known.flags & link.GAINED and self.domains[page] != self.domains[target]:
                yield GainedLink(page, target, known.first_gained_ms, known.flags)

    def visits(self) -> Iterator[tuple[int, str, int]]:
        """Yield the article, the referring domain, and the visits that it sent on a day."""
        for (article, domain, _), visits in self._visits.items():
            yield article, domain, visits

    def _page(self, url: str, field: str) -> int:
        page = self._pages.get(url)
        if page is None:
            canonical = canonicalize_field(url, field=field)
            page = self._pages.get(canonical)
            if page is None:
                page = self._pages[canonical] = len(self.domains)
                self.domains.append(referring_domain(canonical))
        return page
