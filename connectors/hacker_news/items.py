"""Items of Hacker News as the search gives them, and the link events that they become."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta, Struct

from flatline.domain.time import to_datetime
from flatline.domain.urls.canonical import InvalidUrl, canonicalize
from flatline.schema.codec import JSON_ERRORS
from flatline.schema.limits import NAME_CHARACTERS_MAX, TEXT_CHARACTERS_MAX, TITLE_CHARACTERS_MAX
from flatline.schema.link_event import LinkEvent, Page
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.pages.links import PageLink, one_line, read_html, resolved
from flatline_connectors.rel import bounded_rel

ITEM_ADDRESS: Final = "https://news.ycombinator.com/item?id="

Seconds = Annotated[int, Meta(ge=0, lt=1 << 40)]


class Item(Struct):
    """An item, as far as it is used. A story has an address or a text, a comment a text; ``created_s``: Unix time."""

    id: Annotated[str, Meta(pattern="^[0-9]{1,15}$")] = msgspec.field(name="objectID")
    created_s: Seconds = msgspec.field(name="created_at_i")
    author: Any = None
    title: Any = None
    url: Any = None
    story_text: Any = None
    comment_text: Any = None
    story_title: Any = None


class Hit(NamedTuple):
    """One item of an answer as its bytes, and what they say: an `Item`, or why they can't be read."""

    value: bytes
    item: Item | Rejected


class _Answer(Struct):
    hits: list[msgspec.Raw]


_decode_answer: Final = msgspec.json.Decoder(_Answer).decode
_decode_item: Final = msgspec.json.Decoder(Item).decode


def hits_of(body: bytes) -> list[Hit]:
    """Return the items of an answer, the newest first. Raise `Rejected` for what is no such answer."""
    try:
        hits = [_hit(bytes(raw)) for raw in _decode_answer(body).hits]
    except JSON_ERRORS as error:
        raise Rejected(Reason.INVALID_JSON, f"no list of hits: {error}") from None
    times = [hit.item.created_s for hit in hits if isinstance(hit.item, Item)]
    if times != sorted(times, reverse=True):
        raise Rejected(Reason.INVALID_VALUE, "the hits are not in order of time, the newest first")
    return hits


def events_of(item: Item, *, is_ours: Callable[[str], bool], history_until_s: float, now: datetime) -> list[LinkEvent]:
    """Return the links to our sites that an item has. One up to ``history_until_s`` (Unix time) is history."""
    created_at = min(to_datetime(item.created_s * 1000), now)
    is_comment = isinstance(item.comment_text, str)
    page = Page(
        title=_text(item.story_title if is_comment else item.title)[:TITLE_CHARACTERS_MAX] or None,
        author=_text(item.author)[:NAME_CHARACTERS_MAX] or None,
        published_at=created_at,
        type="comment" if is_comment else "story",
    )
    own = _own_link(item, is_ours)
    return [
        LinkEvent(
            url_from=f"{ITEM_ADDRESS}{item.id}",
            url_to=link.url,
            id=f"hn-{item.id}",
            occurred_at=created_at,
            observed_at=now,
            discovery="import" if item.created_s <= history_until_s else "link_found",
            anchor=link.anchor[:TEXT_CHARACTERS_MAX] or None,
            # Whether a story's own link is followed depends on its points, and the search does not say it.
            rel=bounded_rel(link.rel) if target not in own else None,
            placement="comment" if is_comment else "content",
            page=page,
        )
        for target, link in (_links_in_text(item, is_ours) | own).items()
    ]


def _links_in_text(item: Item, is_ours: Callable[[str], bool]) -> dict[str, PageLink]:
    text = item.comment_text if isinstance(item.comment_text, str) else item.story_text
    return dict(read_html(text, ITEM_ADDRESS, is_wanted=is_ours).links) if isinstance(text, str) else {}


def _own_link(item: Item, is_ours: Callable[[str], bool]) -> dict[str, PageLink]:
    address = resolved(item.url, None) if isinstance(item.url, str) else None
    if address is None or not is_ours(address):
        return {}
    try:
        return {canonicalize(address): PageLink(address, _text(item.title))}
    except InvalidUrl:
        return {}


def _hit(value: bytes) -> Hit:
    try:
        return Hit(value, _decode_item(value))
    except JSON_ERRORS as error:
        return Hit(value, Rejected(Reason.INVALID_VALUE, f"no item: {error}"))


def _text(value: Any) -> str:
    return one_line(value) if isinstance(value, str) else ""
