"""Entries of others' feeds, with the links to our sites that are in their text."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flatline_connectors.fetching.fetcher import HTML
from flatline_connectors.pages.feeds import instant, read_feed
from flatline_connectors.pages.links import Links, one_line, read_html


@dataclass(frozen=True)
class Entry:
    """One entry.

    ``id``        what tells it from others in the feed: its own identifier, or else its address
    ``has_text``  whether the feed has the whole text; where it has only a summary, links may be missing
    """

    id: str
    url: str
    title: str = ""
    author: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None
    has_text: bool = False
    links: Links = field(default_factory=dict)


def read_entries(body: bytes, url: str, *, is_ours: Callable[[str], bool]) -> list[Entry]:
    """Return the entries of a feed that was found at ``url``. Raise `flatline_connectors.pages.feeds.NoFeed`.

    Entries without an address are left out, as nobody could say which page links, and so are those on our own sites. Of
    two with one id the first counts.
    """
    entries: dict[str, Entry] = {}
    for raw in read_feed(body, url).entries:
        if raw.get("link") and not is_ours(raw.link):
            entry = _entry(raw, is_ours)
            entries.setdefault(entry.id, entry)
    return list(entries.values())


def _entry(raw: Any, is_ours: Callable[[str], bool]) -> Entry:
    contents = raw.get("content") or []
    texts = [text.get("value") or "" for text in contents if text.get("type") in HTML]
    # feedparser gives a text that is the only one as summary, too.
    summary = raw.get("summary_detail") or {}
    if not texts and summary.get("type") in HTML:
        texts = [summary.get("value") or ""]
    return Entry(
        id=raw.get("id") or raw.link,
        url=raw.link,
        title=one_line(raw.get("title")),
        author=one_line(raw.get("author")),
        published_at=instant(raw.get("published_parsed")),
        # Past feedparser's own lookup, which gives the date of publication, with a warning, where this one is missing.
        updated_at=instant(dict.get(raw, "updated_parsed")),
        has_text=bool(contents),
        links=read_html("\n".join(texts), raw.link, is_wanted=is_ours).links,
    )
