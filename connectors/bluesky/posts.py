"""Messages of Jetstream, and the links in the posts that they tell of. What a post holds may be anything."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from flatline.domain.urls.canonical import InvalidUrl, canonicalize
from flatline.schema.codec import JSON_ERRORS
from flatline.schema.limits import (
    NAME_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    TOKEN_CHARACTERS_MAX,
)
from flatline.schema.link_event import LinkEvent, Page
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.pages.dates import instant_of
from flatline_connectors.pages.links import PageLink, one_line, resolved

POSTS: Final = "app.bsky.feed.post"
_LINK: Final = "app.bsky.richtext.facet#link"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_US: Final = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


class _Commit(Struct):
    operation: str
    collection: str
    rkey: str
    record: Any = None


class _Account(Struct):
    active: bool = True
    status: str | None = None


class Told(Struct):
    """A message: ``kind`` is commit (a post is made, changed or deleted), account, identity, or what comes later."""

    did: str
    time_us: int
    kind: str = ""
    commit: _Commit | None = None
    account: _Account | None = None

    @property
    def at(self) -> datetime:
        """When the server saw it."""
        return _EPOCH + timedelta(microseconds=self.time_us)


_decode: Final = msgspec.json.Decoder(Told).decode


def read_message(data: str) -> Told:
    """Return what a message tells. Raise `Rejected`."""
    try:
        told = _decode(data)
    except JSON_ERRORS as error:
        raise Rejected(Reason.INVALID_JSON, f"no message of Jetstream: {error}") from None
    if not 0 <= told.time_us < _LATEST_US:
        raise Rejected(Reason.INVALID_TIME, f"time_us: {told.time_us} is no time")
    return told


def links_of(record: Any, *, is_ours: Callable[[str], bool]) -> dict[str, PageLink]:
    """Return the links of a post to our sites: those in its text, and that of its card."""
    links: dict[str, PageLink] = {}
    for address, anchor in (*_in_text(record), *_on_card(_member(record, "embed"))):
        url = resolved(address, None)
        if url is None or not is_ours(url):
            continue
        try:
            links.setdefault(canonicalize(url), PageLink(url, one_line(anchor)))
        except InvalidUrl:
            continue
    return links


def post_address(did: str, rkey: str) -> str:
    """Return the address of a post's page."""
    return f"https://bsky.app/profile/{did}/post/{rkey}"


def gained(told: Told, commit: _Commit, link: PageLink, *, now: datetime) -> LinkEvent:
    """Return that a post has a link."""
    record, at = commit.record, min(told.at, now)
    stated_at = instant_of(_text(_member(record, "createdAt")))
    languages = _member(record, "langs")
    language = _text(languages[0]) if isinstance(languages, list) and languages else ""
    return LinkEvent(
        url_from=post_address(told.did, commit.rkey),
        url_to=link.url,
        occurred_at=at,
        observed_at=at,
        anchor=link.anchor[:TEXT_CHARACTERS_MAX] or None,
        context=one_line(_text(_member(record, "text")))[:TEXT_CHARACTERS_MAX] or None,
        placement="content",
        page=Page(
            author=told.did[:NAME_CHARACTERS_MAX],
            # It is what the author's program says, which may be any time.
            published_at=stated_at if stated_at is not None and abs(stated_at - at) <= timedelta(days=1) else None,
            type="post",
            language=language[:TOKEN_CHARACTERS_MAX] or None,
        ),
    )


def lost(address: str, url: str, reason: Literal["removed", "page_gone"], *, at: datetime) -> LinkEvent:
    """Return that a post has a link no longer."""
    return LinkEvent(url_from=address, url_to=url, change="lost", occurred_at=at, observed_at=at, lost_reason=reason)


def _in_text(record: Any) -> Iterator[tuple[str, str]]:
    """Return addresses, with the texts that lead to them: facets count in bytes of UTF-8."""
    text = _text(_member(record, "text")).encode("utf-8", "replace")
    facets = _member(record, "facets")
    for facet in facets if isinstance(facets, list) else []:
        index, features = _member(facet, "index"), _member(facet, "features")
        begin, end = _member(index, "byteStart"), _member(index, "byteEnd")
        anchor = text[begin:end] if isinstance(begin, int) and isinstance(end, int) and 0 <= begin <= end else b""
        for feature in features if isinstance(features, list) else []:
            if _member(feature, "$type") == _LINK:
                yield _text(_member(feature, "uri")), anchor.decode("utf-8", "replace")


def _on_card(embed: Any) -> Iterator[tuple[str, str]]:
    """Return the address on a card, which may stand beside a quoted post, with its title."""
    for holder in (embed, _member(embed, "media")):
        card = _member(holder, "external")
        if address := _text(_member(card, "uri")):
            yield address, _text(_member(card, "title"))


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
