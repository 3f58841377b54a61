"""What a page says of itself in microformats: title, author, date, and what kind of mention it is.

https://microformats.org/wiki/microformats2-parsing; mf2py parses, and this takes from it what it can trust.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import mf2py

from flatline_connectors.pages.dates import instant_of
from flatline_connectors.pages.links import resolved
from flatline_connectors.webmention.links import HtmlPage

_KINDS: Final = ("in-reply-to", "like-of", "repost-of", "bookmark-of")
MENTION: Final = "mention"
_CHARACTERS_MAX: Final = 300
_DEPTH_MAX: Final = 10


@dataclass(frozen=True)
class Entry:
    """An h-entry. Texts are empty, and ``published_at`` is None, where it does not say.

    ``kind``  in-reply-to, like-of, repost-of, bookmark-of; or mention
    """

    title: str = ""
    author: str = ""
    published_at: datetime | None = None
    kind: str = MENTION


def entry_of(page: HtmlPage, *, target: str) -> Entry:
    """Return what a page says of itself; nothing where it has no microformats, or none that can be read."""
    try:
        items = mf2py.Parser(doc=page.soup, url=page.url).to_dict()["items"]
    except Exception:  # noqa: BLE001 - a foreign page in a foreign parser: without an entry, it is a plain mention
        return Entry()
    entry = next(_entries(items, _DEPTH_MAX), None)
    if entry is None:
        return Entry()
    wanted = resolved(target, None)
    kind = next((kind for kind in _KINDS if wanted in map(_address, _values(entry, kind))), MENTION)
    return Entry(
        title=next(map(_text, _values(entry, "name")), ""),
        author=next(map(_text, _values(entry, "author")), ""),
        published_at=next(map(_instant, _values(entry, "published")), None),
        kind=kind,
    )


def _entries(items: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    for item in items if isinstance(items, list) and depth else []:
        if isinstance(item, dict):
            if "h-entry" in item.get("type", []):
                yield item
            yield from _entries(item.get("children"), depth - 1)


def _values(entry: Mapping[str, Any], name: str) -> list[Any]:
    values = entry.get("properties", {}).get(name)
    return values if isinstance(values, list) else []


def _text(value: Any) -> str:
    """Return a plain value, or the name of what is embedded there."""
    if isinstance(value, dict):
        return next(map(_text, _values(value, "name")), "") or _text(value.get("value"))
    return " ".join(value.split())[:_CHARACTERS_MAX] if isinstance(value, str) else ""


def _address(value: Any) -> str | None:
    if isinstance(value, dict):
        return next(map(_address, _values(value, "url")), None) or _address(value.get("value"))
    return resolved(value, None) if isinstance(value, str) else None


def _instant(value: Any) -> datetime | None:
    return instant_of(_text(value))
