"""What a feed says in comparison with what it said before: links in new entries, and entries that were edited.

Pure: entries, pages and a position in, events and the next position out.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

import msgspec
import xxhash
from msgspec import Struct
from msgspec.structs import replace

from flatline.domain.time import EARLIEST
from flatline.schema.connector_record import POSITION_BYTES_MAX
from flatline.schema.limits import NAME_CHARACTERS_MAX, TEXT_CHARACTERS_MAX, TITLE_CHARACTERS_MAX
from flatline.schema.link_event import LinkEvent, Page
from flatline_connectors.feeds.entries import Entry
from flatline_connectors.pages.links import Links, PageLink
from flatline_connectors.rel import bounded_rel

OVERLAP: Final = timedelta(days=2)
"""Entries may appear so much later than they are dated, and are new nevertheless."""
ENTRIES_MAX: Final = 500
"""Entries of a feed that are read, from its top."""
FALLEN_OUT_MAX: Final = 200
"""Entries with links to us that are remembered when they are no longer in the feed, as they may come back."""
PAGES_MAX: Final = 50
"""Pages of a feed's entries that are fetched after one reading."""
BYTES_MAX: Final = POSITION_BYTES_MAX * 9 // 10
"""Of a feed's position: it is a record in Kafka, with little else."""
_encode: Final = msgspec.json.encode

Discovery = Literal["link_found", "import"]


class SeenEntry(Struct, frozen=True, array_like=True, omit_defaults=True):
    """What is remembered of an entry: the articles that it links to, and when it was said to be updated."""

    targets: tuple[str, ...] = ()
    updated_at: datetime | None = None


class WaitingPage(Struct, frozen=True, omit_defaults=True):
    """An entry whose page is to be fetched: the feed has only a summary, or links are gone from the entry.

    ``targets``   articles that it linked to so far; ``in_feed``: those that it links to in the feed
    ``attempts``  how often it could not be fetched; ``round``: in which round it was tried last
    """

    entry: str
    url: str
    discovery: Discovery
    occurred_at: datetime | None = None
    title: str = ""
    author: str = ""
    published_at: datetime | None = None
    targets: tuple[str, ...] = ()
    in_feed: tuple[str, ...] = ()
    attempts: int = 0
    round: int = 0


class FeedPosition(Struct, frozen=True, omit_defaults=True):
    """How far a feed was read.

    ``read_at``        when it was read last; None: never
    ``url``            where it moved to for good; empty: it is where it was
    ``round``          the round in which it was asked for last
    ``failing_since``  since when it can't be read
    ``is_gone``        it said that it is gone for good
    ``entries``        those of the last reading, by fingerprints of their ids, and after them some that fell out
    """

    read_at: datetime | None = None
    url: str = ""
    etag: str = ""
    last_modified: str = ""
    round: int = 0
    failing_since: datetime | None = None
    is_gone: bool = False
    entries: dict[str, SeenEntry] = {}
    pages: tuple[WaitingPage, ...] = ()


class Followed(NamedTuple):
    """The events that something new gives, and the position after it."""

    events: list[LinkEvent]
    position: FeedPosition


def follow(position: FeedPosition, entries: Sequence[Entry], *, read_at: datetime) -> Followed:
    """Return what a reading of a feed gives.

    At the first time all is history (`import`). Later, so is an entry that nobody has seen and that is older than the
    last reading, unless it was updated since. A seen entry that has another link was edited. Links that are gone from
    an entry are looked for on its page. An entry that is no longer in the feed says nothing.
    """
    events: list[LinkEvent] = []
    seen: dict[str, SeenEntry] = {}
    waiting = {page.entry: page for page in position.pages}
    for entry in entries[:ENTRIES_MAX]:
        key = xxhash.xxh3_64_hexdigest(entry.id.encode(errors="replace"))
        known = position.entries.get(key)
        page = _page_of(key, entry, known, position.read_at, read_at)
        targets = known.targets if known else ()
        events += (_gained(page, entry.links[target], read_at) for target in entry.links if target not in targets)
        is_gone = any(target not in entry.links for target in targets)
        is_edited = known is None or known.updated_at != entry.updated_at
        if is_gone if entry.has_text else is_edited:
            if key not in waiting and len(waiting) >= PAGES_MAX:
                continue  # it stays unseen, until there is room
            waiting[key] = page
        seen[key] = SeenEntry(tuple(dict.fromkeys((*targets, *entry.links))), entry.updated_at)
    fallen_out = [(key, known) for key, known in position.entries.items() if key not in seen and known.targets]
    kept = dict([*seen.items(), *fallen_out[:FALLEN_OUT_MAX]])
    return Followed(events, _bounded(replace(position, read_at=read_at, entries=kept, pages=tuple(waiting.values()))))


def found_on_page(position: FeedPosition, page: WaitingPage, links: Links, *, read_at: datetime) -> Followed:
    """Return what the page of an entry gives: links that the feed does not have, and those that are in neither."""
    events = [_gained(page, links[target], read_at) for target in links if target not in page.targets + page.in_feed]
    missing = [target for target in _missing_in_feed(page) if target not in links]
    events += _not_found(page, missing, "lost", "removed", read_at)
    return Followed(events, _settled(position, page, (*links, *page.in_feed)))


def page_is_gone(position: FeedPosition, page: WaitingPage, *, read_at: datetime) -> Followed:
    """Return what it gives that the page of an entry is gone for good."""
    known = dict.fromkeys(page.targets + page.in_feed)
    return Followed(_not_found(page, known, "lost", "page_gone", read_at), _settled(position, page, ()))


def page_is_unreadable(position: FeedPosition, page: WaitingPage, *, read_at: datetime) -> Followed:
    """Return what it gives that a page can't be read: links that are gone from the entry may be gone."""
    events = _not_found(page, _missing_in_feed(page), "suspected", "removed", read_at)
    return Followed(events, _settled(position, page, page.in_feed))


def page_is_tried_later(position: FeedPosition, page: WaitingPage, *, round_number: int) -> FeedPosition:
    """Return the position after a page could not be fetched, which may be so another time."""
    later = replace(page, attempts=page.attempts + 1, round=round_number)
    return replace(position, pages=tuple(later if each.entry == page.entry else each for each in position.pages))


def _missing_in_feed(page: WaitingPage) -> list[str]:
    return [target for target in page.targets if target not in page.in_feed]


def _settled(position: FeedPosition, page: WaitingPage, targets: Iterable[str]) -> FeedPosition:
    entries = position.entries
    if known := entries.get(page.entry):
        entries = {**entries, page.entry: replace(known, targets=tuple(dict.fromkeys(targets)))}
    pages = tuple(each for each in position.pages if each.entry != page.entry)
    return _bounded(replace(position, entries=entries, pages=pages))


def _bounded(position: FeedPosition) -> FeedPosition:
    """Return a position that fits into a record. The last entries are forgotten: their links are told again."""
    size = len(_encode(position))
    if size <= BYTES_MAX:
        return position
    waiting = {page.entry: page for page in position.pages}
    entries: dict[str, SeenEntry] = {}
    pages: list[WaitingPage] = []
    room = BYTES_MAX - len(_encode(replace(position, entries={}, pages=())))
    for key, seen in position.entries.items():
        own = [waiting[key]] if key in waiting else []
        cost = len(_encode({key: seen})) + len(_encode(own))
        if cost <= room:
            room -= cost
            entries[key] = seen
            pages += own
    return replace(position, entries=entries, pages=tuple(pages))


def _page_of(
    key: str, entry: Entry, known: SeenEntry | None, last_read_at: datetime | None, read_at: datetime
) -> WaitingPage:
    discovery, occurred_at = _appearance(entry, last_read_at, read_at, was_seen=known is not None)
    return WaitingPage(
        key,
        entry.url,
        discovery,
        occurred_at,
        title=entry.title[:TITLE_CHARACTERS_MAX],
        author=entry.author[:NAME_CHARACTERS_MAX],
        published_at=entry.published_at,
        targets=known.targets if known else (),
        in_feed=tuple(entry.links),
    )


def _appearance(
    entry: Entry, last_read_at: datetime | None, read_at: datetime, *, was_seen: bool
) -> tuple[Discovery, datetime | None]:
    """Return how a link in an entry was found, and when it appeared. Dates to come are none, for whatever reason."""
    published_at, updated_at = (
        date if date is not None and EARLIEST <= date <= read_at else None
        for date in (entry.published_at, entry.updated_at)
    )
    if last_read_at is None:
        return "import", published_at
    news_since = last_read_at - OVERLAP
    if was_seen:
        return "link_found", updated_at if updated_at and updated_at >= news_since else None
    if published_at is None:  # the date of an update is not that of the link
        return ("import" if updated_at and updated_at < news_since else "link_found"), None
    if published_at >= news_since:
        return "link_found", published_at
    is_edited = updated_at is not None and updated_at >= news_since
    return ("link_found", updated_at) if is_edited else ("import", published_at)


def _gained(page: WaitingPage, link: PageLink, read_at: datetime) -> LinkEvent:
    return LinkEvent(
        url_from=page.url,
        url_to=link.url,
        occurred_at=page.occurred_at,
        observed_at=read_at,
        discovery=page.discovery,
        anchor=link.anchor[:TEXT_CHARACTERS_MAX] or None,
        rel=bounded_rel(link.rel),
        page=Page(title=page.title or None, author=page.author or None, published_at=page.published_at),
    )


def _not_found(
    page: WaitingPage, targets: Iterable[str], change: Literal["lost", "suspected"], reason: str, read_at: datetime
) -> list[LinkEvent]:
    return [
        LinkEvent(url_from=page.url, url_to=target, change=change, observed_at=read_at, lost_reason=reason)
        for target in targets
    ]
