"""Others' feeds: which events their entries and pages give, at the first reading and later."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flatline.schema.link_event import LinkEvent
from flatline_connectors.feeds.entries import Entry, read_entries
from flatline_connectors.feeds.following import (
    PAGES_MAX,
    FeedPosition,
    Followed,
    WaitingPage,
    follow,
    found_on_page,
    page_is_gone,
    page_is_tried_later,
    page_is_unreadable,
)
from flatline_connectors.pages.feeds import NoFeed
from flatline_connectors.pages.links import PageLink
from flatline_connectors.sites import on_sites

READ_AT = datetime(2026, 5, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
IS_OURS = on_sites(["yours.example"])
URL = "https://blog.example/feed"
NEW = FeedPosition()
LINK = '<a href="https://yours.example/a" rel="nofollow">an  article</a>'
OTHER = '<a href="https://yours.example/b">b</a>'


def item(name: str, text: str, *, published: str = "Fri, 01 May 2026 10:00:00 GMT", is_whole: bool = True) -> str:
    """Return an item of RSS, with its whole text or a summary."""
    element = "content:encoded" if is_whole else "description"
    return (
        f"<item><guid>{name}</guid><link>https://blog.example/{name}</link><title>T</title>"
        f"<pubDate>{published}</pubDate><{element}><![CDATA[{text}]]></{element}></item>"
    )


def read(position: FeedPosition, *items: str, read_at: datetime = READ_AT) -> tuple[list[LinkEvent], FeedPosition]:
    """Read a feed of these items."""
    beginning = '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>F</title>'
    body = f"{beginning}<link>https://blog.example/</link>{''.join(items)}</channel></rss>".encode()
    return follow(position, read_entries(body, URL, is_ours=IS_OURS), read_at=read_at)


def said(events: Sequence[LinkEvent]) -> list[tuple[str, str, str]]:
    """Return change, page and target of events."""
    return [(event.change, event.url_from[-1], event.url_to[-1]) for event in events]


def links(*names: str) -> Mapping[str, PageLink]:
    """Return links to these articles, as a page has them."""
    return {f"https://yours.example/{name}": PageLink(f"https://yours.example/{name}") for name in names}


def test_the_first_reading_is_history() -> None:
    """All that a feed has at first is an import, with what the entry says of its page and the link."""
    (event,), _ = read(NEW, item("1", f"{LINK} {LINK} https://yours.example/text <a href='https://x.example/'>x</a>"))
    assert (event.url_from, event.url_to, event.discovery) == (
        "https://blog.example/1",
        "https://yours.example/a",
        "import",
    )
    assert (event.anchor, event.rel) == ("an article", ["nofollow"])
    assert event.occurred_at == datetime(2026, 5, 1, 10, tzinfo=UTC)


def test_what_is_new_later() -> None:
    """A new entry, and a link that an edit adds, are found; nothing comes twice, and what falls out says nothing."""
    _, position = read(NEW, item("1", LINK))
    later = READ_AT + DAY
    new = item("2", LINK, published="Mon, 11 May 2026 10:00:00 GMT")
    events, position = read(position, item("1", LINK + OTHER), new, read_at=later)
    found = [(event.url_from, event.url_to, event.discovery, event.occurred_at) for event in events]
    assert found == [
        ("https://blog.example/1", "https://yours.example/b", "link_found", None),
        ("https://blog.example/2", "https://yours.example/a", "link_found", datetime(2026, 5, 11, 10, tzinfo=UTC)),
    ]
    assert read(position, item("1", LINK + OTHER), new, read_at=later)[0] == []
    assert read(position, new, read_at=later)[0] == []


def test_old_entries_that_appear_late_are_history() -> None:
    """An entry that nobody saw, dated well before the last reading, is no sign of life; without a date it is new."""
    _, position = read(NEW)
    (old, undated), _ = read(position, item("1", LINK), item("2", LINK, published="?"), read_at=READ_AT + DAY)
    assert (old.discovery, undated.discovery, undated.occurred_at) == ("import", "link_found", None)


def test_a_date_ahead_is_none() -> None:
    """An entry dated after the reading appeared, as far as we know, when it was read."""
    _, position = read(NEW)
    (event,), _ = read(position, item("1", LINK, published="Fri, 01 May 2037 10:00:00 GMT"))
    assert (event.occurred_at, event.observed_at, event.discovery) == (None, READ_AT, "link_found")


def test_our_own_entries_are_left_out() -> None:
    """A feed that shows our own articles, too, has no links to them."""
    body = item("1", OTHER).replace("https://blog.example/1", "https://yours.example/x")
    assert read(NEW, body) == ([], FeedPosition(read_at=READ_AT))


def test_a_summary_has_its_page_read() -> None:
    """What only the page has is found as if the feed had it; what both have comes once."""
    _, position = read(NEW)
    published = "Sun, 10 May 2026 10:00:00 GMT"
    summary = item("1", f"{OTHER} A text that goes on …", published=published, is_whole=False)
    events, position = read(position, summary)
    assert said(events) == [("gained", "1", "b")]
    (page,) = position.pages
    assert page.url == "https://blog.example/1"
    (event,), position = found_on_page(position, page, links("a", "b"), read_at=READ_AT)
    assert (event.url_to[-1], event.discovery, event.occurred_at) == ("a", "link_found", READ_AT.replace(hour=10))
    assert position.pages == ()
    assert read(position, summary) == ([], replace(position, read_at=READ_AT))


@pytest.mark.parametrize(
    ("look", "expected", "left"),
    [
        (lambda position, page: found_on_page(position, page, links("b"), read_at=READ_AT), [("lost", "removed")], "b"),
        (lambda position, page: found_on_page(position, page, links("a", "b"), read_at=READ_AT), [], "ab"),
        (lambda position, page: page_is_unreadable(position, page, read_at=READ_AT), [("suspected", "removed")], "b"),
        (
            lambda position, page: page_is_gone(position, page, read_at=READ_AT),
            [("lost", "page_gone"), ("lost", "page_gone")],
            "",
        ),
    ],
)
def test_a_link_that_is_gone_from_an_entry(
    look: Callable[[FeedPosition, WaitingPage], Followed], expected: list[tuple[str, str]], left: str
) -> None:
    """The page decides; as long as it can't be read, the link is only suspected to be gone."""
    _, position = read(NEW, item("1", LINK + OTHER))
    events, position = read(position, item("1", OTHER))
    assert events == []
    (page,) = position.pages
    events, position = look(position, page)
    assert [(event.change, event.lost_reason) for event in events] == expected
    (entry,) = position.entries.values()
    assert "".join(sorted(target[-1] for target in entry.targets)) == left
    assert position.pages == ()


def test_a_page_is_tried_again() -> None:
    """A page that can't be had now waits on, once for each entry."""
    _, position = read(NEW, item("1", "summary", is_whole=False))
    (page,) = position.pages
    position = page_is_tried_later(position, page, round_number=7)
    _, position = read(position, item("1", "summary", is_whole=False))
    assert [(page.attempts, page.round) for page in position.pages] == [(1, 7)]


def test_so_many_pages_at_once() -> None:
    """The others have their turn at a later reading."""
    items = [item(str(number), "summary", is_whole=False) for number in range(PAGES_MAX + 3)]
    _, position = read(NEW, *items)
    assert len(position.pages) == PAGES_MAX
    _, position = read(replace(position, pages=()), *items)
    assert [page.url.rpartition("/")[2] for page in position.pages] == [str(PAGES_MAX + number) for number in range(3)]


entries = st.dictionaries(st.sampled_from(["1", "2", "3"]), st.sets(st.sampled_from(["a", "b", "c"])), max_size=3)


@given(st.lists(entries, min_size=1, max_size=6), st.data())
def test_events_add_up_to_what_was_seen_last(readings: list[dict[str, set[str]]], data: st.DataObject) -> None:
    """Whatever readings there are and whenever pages are read, the live links are those that were seen last.

    A position survives being saved.
    """
    position, live = NEW, set[tuple[str, str]]()
    shown: dict[str, set[str]] = {}
    for number, reading in enumerate(readings):
        read_at = READ_AT + number * DAY
        known = [
            Entry(name, f"https://blog.example/{name}", has_text=True, links=links(*sorted(names)))
            for name, names in reading.items()
        ]
        events, position = follow(position, known, read_at=read_at)
        shown |= reading
        position = msgspec.json.decode(msgspec.json.encode(position), type=FeedPosition)
        for page in position.pages:
            on_page = data.draw(st.sets(st.sampled_from(["a", "b", "c"])))
            more, position = found_on_page(position, page, links(*sorted(on_page)), read_at=read_at)
            events = [*events, *more]
            name = page.url[-1]
            shown[name] = shown[name] | on_page
        for change, page_name, target in said(events):
            assert ((page_name, target) in live) == (change == "lost") or change == "gained"
            live = live - {(page_name, target)} if change == "lost" else live | {(page_name, target)}
    assert live == {(name, target) for name, targets in shown.items() for target in targets}


def test_what_is_no_feed() -> None:
    """A page in place of a feed is said to be none."""
    with pytest.raises(NoFeed):
        read_entries(b"<!doctype html><p>Moved", URL, is_ours=IS_OURS)
