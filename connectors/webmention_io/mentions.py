"""Mentions as webmention.io gives them (jf2), and the link events that they become: pure functions of its answers."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct, structs

from flatline.schema.codec import JSON_ERRORS
from flatline.schema.limits import NAME_CHARACTERS_MAX, TITLE_CHARACTERS_MAX
from flatline.schema.link_event import LinkEvent, Page
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.pages.dates import instant_of
from flatline_connectors.pages.links import one_line, resolved
from flatline_connectors.webmention.posts import BRIDGES, META_FLAG, dates_of, is_on_bridge

SOURCE: Final = "webmention.io"
_KINDS: Final = {
    "in-reply-to": "in-reply-to",
    "like-of": "like-of",
    "repost-of": "repost-of",
    "bookmark-of": "bookmark-of",
    "mention-of": "mention",
    "rsvp": "rsvp",
}


class _Mention(Struct, rename="kebab"):
    """A child of a page of mentions, as far as it is used; what a page says of itself may be anything."""

    wm_id: int
    wm_source: str
    wm_target: str
    wm_received: str = ""
    wm_property: str = ""
    wm_private: bool = False
    url: Any = None
    published: Any = None
    author: Any = None
    name: Any = None


class _Post(Struct):
    """What a web hook says of the page of a mention; the rest is as in a child of a page of mentions."""

    url: Any = None
    published: Any = None
    author: Any = None
    name: Any = None
    wm_property: Annotated[Any, Meta()] = msgspec.field(default=None, name="wm-property")


class Notice(Struct):
    """The body of a web hook. ``deleted``: the mention is gone."""

    secret: str
    source: str
    target: str
    private: bool = False
    deleted: bool = False
    post: _Post | None = None


@dataclass(frozen=True)
class Wanted:
    """Which mentions count.

    ``is_ours``     whether an address is on a site of ours; None: whatever the service has
    ``proxies``     hosts as `BRIDGES`
    ``is_private``  whether private mentions count
    """

    is_ours: Callable[[str], bool] | None = None
    proxies: Collection[str] = BRIDGES
    is_private: bool = False


@dataclass(frozen=True)
class ReadMention:
    """A mention with its number at the service. ``event`` is None if it does not count."""

    id: int
    received_at: datetime
    event: LinkEvent | None


_decode_page: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_children: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_mention: Final = msgspec.json.Decoder(_Mention).decode
_decode_notice: Final = msgspec.json.Decoder(Notice).decode


def children_of(body: bytes) -> list[bytes]:
    """Return the mentions of an answer, each as its bytes. Raise `Rejected` for what is no such answer."""
    try:
        return [bytes(child) for child in _decode_children(_decode_page(body)["children"])]
    except (*JSON_ERRORS, KeyError) as error:
        raise Rejected(Reason.INVALID_JSON, f"no list of mentions: {error}") from None


def read_mention(child: bytes, wanted: Wanted, *, is_history: bool, now: datetime) -> ReadMention:
    """Return a mention of an answer. Raise `Rejected`."""
    try:
        mention = _decode_mention(child)
    except JSON_ERRORS as error:
        raise Rejected(Reason.INVALID_JSON, f"no mention: {error}") from None
    received_at = instant_of(_text(mention.wm_received))
    if received_at is None:
        raise Rejected(Reason.INVALID_TIME, f"wm-received: {mention.wm_received[:100]!r} is no time")
    received_at = min(received_at, now)
    event = None
    if _counts(mention.wm_target, wanted, is_private=mention.wm_private):
        event = _gained(mention, mention.wm_source, mention.wm_target, wanted, received_at, is_history=is_history)
    return ReadMention(mention.wm_id, received_at, event)


def read_notice(body: bytes) -> Notice:
    """Return what a web hook says; its secret is not checked. Raise `Rejected`, which quotes nothing of it."""
    try:
        return _decode_notice(body)
    except JSON_ERRORS:
        raise Rejected(Reason.INVALID_JSON, "no notice with secret, source and target") from None


def event_of(notice: Notice, wanted: Wanted, *, now: datetime) -> LinkEvent | None:
    """Return the event of a web hook, of the source `SOURCE`; None if it does not count.

    When a proxy's page is deleted, nobody says which page it stood for.
    """
    if not _counts(notice.target, wanted, is_private=notice.private):
        return None
    if not notice.deleted:
        gained = _gained(notice.post or _Post(), notice.source, notice.target, wanted, now, is_history=False)
        return structs.replace(gained, source=SOURCE)
    if is_on_bridge(notice.source, wanted.proxies):
        return None
    return LinkEvent(
        url_from=notice.source,
        url_to=notice.target,
        change="lost",
        observed_at=now,
        lost_reason="removed",
        source=SOURCE,
    )


def _counts(target: str, wanted: Wanted, *, is_private: bool) -> bool:
    return (wanted.is_private or not is_private) and (wanted.is_ours is None or wanted.is_ours(target))


def _gained(
    mention: _Mention | _Post, source: str, target: str, wanted: Wanted, received_at: datetime, *, is_history: bool
) -> LinkEvent:
    is_proxy = is_on_bridge(source, wanted.proxies)
    original = resolved(mention.url, None) if is_proxy and isinstance(mention.url, str) else None
    dates = dates_of(instant_of(_text(mention.published)), received_at=received_at)
    return LinkEvent(
        url_from=original or source,
        url_to=target,
        occurred_at=dates.occurred_at,
        observed_at=received_at,
        discovery="import" if is_history else "link_found",
        page=Page(
            title=_text(mention.name)[:TITLE_CHARACTERS_MAX] or None,
            author=_text(_member(mention.author, "name"))[:NAME_CHARACTERS_MAX] or None,
            published_at=dates.published_at,
            type=_KINDS.get(_text(mention.wm_property)),
        ),
        flags=[META_FLAG] if is_proxy else [],
    )


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else value


def _text(value: Any) -> str:
    return one_line(value) if isinstance(value, str) else ""
