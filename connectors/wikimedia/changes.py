"""Events of the stream `mediawiki.page-links-change`, and the link events that they become."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from flatline.domain.urls.canonical import InvalidUrl, canonicalize
from flatline.schema.codec import JSON_ERRORS
from flatline.schema.limits import TITLE_CHARACTERS_MAX
from flatline.schema.link_event import LinkEvent, Page
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.pages.dates import instant_of
from flatline_connectors.pages.links import one_line, resolved

CANARY: Final = "canary"
"""The domain of events that only say that the stream is alive."""


class _Link(Struct):
    link: str
    external: bool = False


class _Meta(Struct):
    dt: str
    domain: str = ""
    uri: str = ""


class Change(Struct):
    """An edit, as far as it is used. Who made it is not: it may be an IP address."""

    meta: _Meta
    page_title: str = ""
    page_namespace: int = 0
    added_links: list[_Link] | None = None
    removed_links: list[_Link] | None = None

    @property
    def at(self) -> datetime:
        """When it was made. Raise `Rejected`."""
        at = instant_of(self.meta.dt)
        if at is None:
            raise Rejected(Reason.INVALID_TIME, f"meta.dt: {self.meta.dt[:100]!r} is no time")
        return at


_decode: Final = msgspec.json.Decoder(Change).decode


def read_change(data: str) -> Change:
    """Return the change that an event tells. Raise `Rejected`."""
    try:
        return _decode(data)
    except JSON_ERRORS as error:
        raise Rejected(Reason.INVALID_JSON, f"no change of links: {error}") from None


def events_of(change: Change, *, is_ours: Callable[[str], bool]) -> list[LinkEvent]:
    """Return the links to our sites that a page gained and lost. Raise `Rejected`."""
    if change.meta.domain == CANARY:
        return []
    added = dict(_ours(change.added_links, change, is_ours))
    removed = {key: url for key, url in _ours(change.removed_links, change, is_ours) if key not in added}
    if not added and not removed:
        return []
    others = [each.link for each in change.added_links or [] if each.external]
    gained = [_event(change, url, change="gained", rel=["nofollow"], placement="content") for url in added.values()]
    lost = [
        # An archive's copy in place of the original: the address of that is a part of the new one.
        _event(change, url, change="lost", lost_reason="retargeted" if _is_within_any(url, others) else "removed")
        for url in removed.values()
    ]
    return gained + lost


def _ours(links: list[_Link] | None, change: Change, is_ours: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """Return external links to our sites by their canonical form. They may lack their protocol."""
    for each in links or []:
        address = resolved(each.link, change.meta.uri) if each.external else None
        if address is None or not is_ours(address):
            continue
        try:
            yield canonicalize(address), address
        except InvalidUrl:
            continue


def _event(edit: Change, url: str, **fields: Any) -> LinkEvent:
    at = edit.at
    namespace = edit.page_namespace
    title = one_line(edit.page_title.replace("_", " "))
    return LinkEvent(
        url_from=edit.meta.uri,
        url_to=url,
        occurred_at=at,
        observed_at=at,
        flags=[f"namespace-{namespace}"] if namespace else [],
        page=Page(title=title[:TITLE_CHARACTERS_MAX] or None, type="wiki"),
        **fields,
    )


def _is_within_any(url: str, others: list[str]) -> bool:
    bare = url.partition("://")[2].rstrip("/")
    return any(bare in other and not other.partition("://")[2].startswith(bare) for other in others)
